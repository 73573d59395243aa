#pragma once

#include <cerrno>
#include <system_error>

namespace flipback {

/// The system's number of an error (ECONNREFUSED, ENOENT, …), or 0 where the error comes from elsewhere. The same numbers mean something
/// else in other categories: OpenSSL's "the stream was cut" is 1, which is the system's EPERM. So nothing else reads an error's `value()`.
inline int errno_of(const std::error_code& error) {
  const bool is_of_system = error.category() == std::system_category() || error.category() == std::generic_category();
  return is_of_system ? error.value() : 0;
}

}  // namespace flipback
