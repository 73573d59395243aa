#pragma once

#include "flipback/event.hpp"
#include "flipback/timestamp.hpp"

#include <optional>
#include <string>
#include <string_view>

/// Events as lines.
namespace flipback {

std::string text_line(const event& e, wall_time at);
/// One JSON object: time, severity, kind, says, and the event's fields.
std::string json_line(const event& e, wall_time at);
/// The event of such a line; nothing: it is none. Its time is not part of it.
std::optional<event> event_in(std::string_view json_line);
/// The same as logfmt: `time=… severity=warning kind=… says="…"`, then the event's fields. What can't stand bare is quoted as JSON quotes
/// it.
std::string logfmt_line(const event& e, wall_time at);
/// For people who read it by journalctl, which knows time and severity itself.
std::string journald_line(const event& e);
/// What journald takes for the priority of a line that it stands in front of: "<4>".
std::string journald_priority(severity of);

}  // namespace flipback
