#pragma once

#include "agent/incident/evidence.hpp"
#include "agent/incident/history_file.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace flipback::incident {

/// What a rollback rests on that a person has ordered.
inline constexpr const char* by_word = "security";

/// What a person can type, and what follows from it.
struct choice {
  std::string type;
  std::string so_that;
};

/// What a cutover put live.
struct put_live {
  std::string what;  ///< the slot and its release
  wall_time at;
};

/// One incident, from its events alone. Pure.
struct report {
  std::string id;
  wall_time began;
  std::optional<wall_time> ended;   ///< nothing: it is not over, as far as is known
  std::optional<put_live> cutover;  ///< the newest before it began; nothing: none is on record
  std::string outcome;              ///< of the rollback, or that there was none, and why
  std::string stands;               ///< which slot users reach, and how that is known; empty: it was not told since it began
  std::string rule;                 ///< the one that was breached first, or that was pending; "security": a person's own word
  std::string says;                 ///< of that rule: its numbers and its limit
  std::optional<wall_time> breached;
  std::optional<users_then> users;            ///< what they met with, as it was put on record last
  std::optional<users_then> users_at_breach;  ///< as it was when the first rule was breached, or the rollback ordered
  std::string helped;                         ///< whether the rollback did; empty: it was not told
  bool did_not_help = false;
  std::string by;                   ///< who ordered or approved it; empty: nobody
  std::string blame;                ///< what asking both slots showed; empty: they were not asked
  std::vector<std::string> rules;   ///< the other rules that were breached
  std::string acknowledged;         ///< by whom and why; empty: by nobody
  std::vector<std::string> told;    ///< targets that people were told by
  std::vector<std::string> untold;  ///< targets that failed, and why
  std::vector<std::string> ill;     ///< probes that failed meanwhile, with their reasons
  std::vector<happening> steps;     ///< of rollbacks, from their decision to their end
  choice next;
  std::vector<choice> otherwise;
  std::vector<signal> signals;  ///< how the rules went, from ten minutes before to five after
  std::vector<happening> all;   ///< without what those hold
};

/// Precondition: the events are of one incident, the oldest first, and there is one.
report report_of(std::vector<happening> all);

std::string as_text(const report& r);
/// Fit for a postmortem.
std::string as_markdown(const report& r);
boost::json::object as_object(const report& r);

/// One line an incident, the newest first, from the events that begin and end them.
std::string list_of(const std::vector<happening>& marks);
boost::json::object list_as_object(const std::vector<happening>& marks);

}  // namespace flipback::incident
