#include "probes/files/failure.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>

namespace flipback::files {

net::failure failure_of(int error, std::string_view path) {
  const auto unseen = [&](reason why) {
    return net::failure{why, fmt::format("{} can't be looked at: {}", path, std::generic_category().message(error))};
  };
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return {reason::absent, fmt::format("{} does not exist", path)};
    case EACCES:
    case EPERM:
      return unseen(reason::no_prerequisite);
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return unseen(reason::own_limits);
    case ETIMEDOUT:
      return unseen(reason::timed_out);
    default:
      return unseen(reason::bad_answer);
  }
}

}  // namespace flipback::files
