#pragma once

#include "flipback/units.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace flipback {

/// One of those that many errors have in common: a client by its address, or what was asked ("GET /api/search").
struct error_share {
  std::string of;
  double share = 0;  ///< of all errors, 0 to 1; never more than it was, at most 2% less
};

/// What the errors of a time have in common, for whoever asks whether a release is to blame.
struct error_shares {
  std::uint64_t errors = 0;
  std::vector<error_share> clients;   ///< the largest first; empty where the log does not tell
  std::vector<error_share> requests;  ///< the same
};

/// What a probe is, beside a probe, that knows who has the errors.
class knows_errors {
 public:
  virtual ~knows_errors() = default;
  /// The errors of the newest 5 minutes, but none from before `since`.
  [[nodiscard]] virtual error_shares errors_since(instant since) const = 0;
};

}  // namespace flipback
