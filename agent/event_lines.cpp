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

std::string logfmt_value(const std::string& text) {
  std::string quoted = escaped_json(boost::json::serialize(boost::json::string(well_formed(text))));
  const bool is_bare = !text.empty() && text.find_first_of(" =") == std::string::npos && quoted == '"' + text + '"';
  return is_bare ? text : quoted;
}

}  // namespace

std::string text_line(const event& e, wall_time at) {
  return fmt::format("{} {:<8} {}: {}", time_text(at), name_of(e.severity), one_line(e.kind), one_line(e.says));
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

std::string logfmt_line(const event& e, wall_time at) {
  std::string line = fmt::format("time={} severity={} kind={} says={}", time_text(at), name_of(e.severity), e.kind, logfmt_value(e.says));
  for (const auto& [name, value] : e.fields) {
    line += fmt::format(" {}=", name);
    if (const auto* text = std::get_if<std::string>(&value))
      line += logfmt_value(*text);
    else
      std::visit([&line](const auto& v) { line += fmt::format("{}", v); }, value);
  }
  return line;
}

std::string journald_line(const event& e) {
  return fmt::format("{}: {}", e.kind, one_line(e.says));
}

std::string journald_priority(severity of) {
  constexpr std::array priorities{7, 6, 4, 2};
  return fmt::format("<{}>", priorities.at(static_cast<std::size_t>(of)));
}

}  // namespace flipback
