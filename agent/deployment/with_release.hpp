#pragma once

#include <string>

namespace flipback::deployment {

/// "blue with v1.0.0", or "blue" where its release is not known.
inline std::string with_release(const std::string& slot, const std::string& release) {
  return release.empty() ? slot : slot + " with " + release;
}

}  // namespace flipback::deployment
