#pragma once

#include "flipback/units.hpp"

#include <cstddef>
#include <expected>
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
  std::string text;    ///< whole lines: for people, or JSON where that was asked for; where not done, why
  bool wrong = false;  ///< not done, since what was typed can't be meant: a slot or a rule that is none
  bool is_no = false;  ///< done, and what was found is a no, or can't be told
};

/// Bytes of one value of a demand. A reason is told in events and in `status` again and again.
inline constexpr std::size_t longest_value = 4096;

/// How long a hold is to last, by its `for`: more than nothing, at most 7 d. An error is a sentence.
std::expected<duration, std::string> hold_length(const demand& what);

/// What is wrong with what was given, as a sentence: a value that is too long, a reason that says nothing where one is needed, a hold for
/// no length of time. Asked by whoever sends a demand, and again by the agent.
std::optional<std::string> wrong_with(const demand& what);

}  // namespace flipback::serve
