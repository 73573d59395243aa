#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>

namespace flipback::serve {

/// What a person asks of the running agent.
struct demand {
  std::string verb;                           ///< "rollback"
  std::map<std::string, std::string> values;  ///< "reason" → what was given
  std::string by;                             ///< who asks, as the kernel vouches: "alice (uid 1000)"
};

struct reply {
  bool done = false;
  std::string text;  ///< whole lines: for people, or JSON where that was asked for; where not done, why
};

/// Bytes of one value of a demand. A reason is told in events and in `status` again and again.
inline constexpr std::size_t longest_value = 4096;

/// What is wrong with what was given, as a sentence: a value that is too long, a reason that says nothing where one is needed. Asked by
/// whoever sends a demand, and again by the agent.
std::optional<std::string> wrong_with(const demand& what);

}  // namespace flipback::serve
