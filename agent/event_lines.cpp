#include "agent/event_lines.hpp"

#include "flipback/one_line.hpp"
#include "flipback/utf8.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <array>

namespace flipback {

namespace {

severity severity_named(std::string_view name) {
  using enum severity;
  for (const severity s : {debug, info, warning, critical}) {
    if (name_of(s) == name) return s;
  }
  return info;
}

}  // namespace

std::string text_line(const event& e, wall_time at) {
  return fmt::format("{} {:<8} {}: {}", time_text(at), name_of(e.severity), e.kind, one_line(e.says));
}

std::string json_line(const event& e, wall_time at) {
  boost::json::object line{{"time", time_text(at)}, {"severity", name_of(e.severity)}, {"kind", e.kind}, {"says", well_formed(e.says)}};
  for (const auto& [name, value] : e.fields) {
    if (const auto* text = std::get_if<std::string>(&value))
      line[name] = well_formed(*text);
    else
      std::visit([&line, &key = name](const auto& v) { line[key] = v; }, value);
  }
  return escaped_json(boost::json::serialize(line));
}

std::optional<event> event_in(std::string_view json_line) {
  boost::system::error_code error;
  const boost::json::value read = boost::json::parse(json_line, error);
  if (error || !read.is_object()) return std::nullopt;
  event made;
  for (const auto& [key, value] : read.get_object()) {
    const std::string name(key);
    if (const auto* text = value.if_string()) {
      std::string is(*text);
      if (name == "kind")
        made.kind = std::move(is);
      else if (name == "says")
        made.says = std::move(is);
      else if (name == "severity")
        made.severity = severity_named(is);
      else if (name != "time")
        made.with(name, std::move(is));
    } else if (value.is_int64()) {
      made.with(name, value.get_int64());
    } else if (value.is_double()) {
      made.with(name, value.get_double());
    } else if (value.is_bool()) {
      made.with(name, value.get_bool());
    }
  }
  if (made.kind.empty()) return std::nullopt;
  return made;
}

std::string journald_line(const event& e) {
  constexpr std::array priorities{7, 6, 4, 2};
  return fmt::format("<{}>{}: {}", priorities.at(static_cast<std::size_t>(e.severity)), e.kind, one_line(e.says));
}

}  // namespace flipback
