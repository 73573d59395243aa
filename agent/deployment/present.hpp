#pragma once

#include "agent/config/mode.hpp"
#include "agent/deployment/sighting.hpp"
#include "agent/deployment/slots.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

/// What is so at the instant of a step: read anew for each, never kept. A decision rests on this and on answers that say how old they are.
namespace flipback::deployment {

/// A rollback rule that is breached or pending, as the engine says at this instant.
struct rule_now {
  std::string name;
  bool breached = false;  ///< else pending
  instant true_since;
  duration bridged{};                ///< of the time since then, what nothing is known of
  std::string meaning;               ///< what the rule says: another one by the same name has another
  duration lasts{};                  ///< its `for`
  std::string why;                   ///< the numbers, for people
  answer holds = answer::cant_tell;  ///< its condition, evaluated now on data of this epoch that is not stale
  std::optional<config::mode> mode;  ///< its own
  bool not_this_release = false;     ///< the condition was true before the cutover already
  answer withheld = answer::no;      ///< whether its `unless` is true
  bool held_against_before = false;  ///< it asks whether it is worse than before the cutover, and that can be told
  std::string no_worse;              ///< that it is not, in words, and that nothing else withholds it; empty: else
  std::string unfit;                 ///< why what it reads is no ground to act on; empty: it is one
  std::string doubtful;              ///< why a person is to decide on what it reads; empty: nobody need be asked
  std::string one_client;            ///< the client that makes the errors and not the traffic, in words; empty: none does
  bool only_hang_ups = false;        ///< without the requests whose clients hung up it would be no breach
  std::string shared_is_ill;         ///< what both slots share and can't be reached, in words; empty: nothing
  answer above_since_mark =
      answer::cant_tell;  ///< whether its short window lies after `mark_of` this rule and is above the limit by itself
};

struct present {
  moment at;
  intent names;                               ///< as the switch says now
  std::vector<rule_now> rules;                ///< breached or pending, in the rules' order
  std::string another_agent;                  ///< that another agent acts on this nginx, in words: then nobody's word is carried out here
  std::vector<std::string> not_this_release;  ///< every rollback rule whose condition was true before the cutover already
};

/// Null where it is neither breached nor pending.
inline const rule_now* rule_named(const present& now, const std::string& name) {
  const auto found = std::ranges::find(now.rules, name, &rule_now::name);
  return found == now.rules.end() ? nullptr : &*found;
}

}  // namespace flipback::deployment
