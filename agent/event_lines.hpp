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
/// journald takes the priority from a number in front, and knows the time itself.
std::string journald_line(const event& e);

}  // namespace flipback
