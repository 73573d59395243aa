#pragma once

#include "probes/jwks/key_set.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace flipback::jwks {

/// The keys for signatures of the set that was seen last, and how often they changed since. A change is how keys are renewed, no mistake.
class rotation {
 public:
  /// Takes the set seen now: what changed in it, in a sentence; nothing in the first set, and where it is the same.
  std::optional<std::string> see(const key_set& now);
  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  /// Id (where a key has none: its fingerprint) → fingerprints, as keys of several types may share an id.
  std::optional<std::map<std::string, std::set<std::string>>> last_;
  std::uint64_t count_ = 0;
};

}  // namespace flipback::jwks
