#include "agent/serve/demand.hpp"

#include "flipback/quoted.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace flipback::serve {

namespace {

bool is_blank(const std::string& text) {
  return std::ranges::all_of(text, [](unsigned char c) { return c <= ' ' || c == 0x7f; });
}

/// As it stands on the command line.
std::string option(const std::string& key) {
  return key == "rule" ? "RULE" : "--" + key;
}

}  // namespace

std::expected<duration, std::string> hold_length(const demand& what) {
  constexpr duration longest = std::chrono::days(7);
  const auto given = what.values.find("for");
  const std::string text = given == what.values.end() ? "" : given->second;
  const auto length = parse_duration(text);
  if (!length) return std::unexpected(fmt::format("found --for {}, expected a duration such as 30m or 2h, to 7d", in_quotes(text)));
  if (*length <= duration{}) return std::unexpected(fmt::format("found --for {}, expected more than that, such as 30m", in_quotes(text)));
  if (*length > longest)
    return std::unexpected(
        fmt::format("found --for {}, expected at most 7d: type `flipback hold --for 7d --reason TEXT`, and again before that is over",
                    in_quotes(text)));
  return *length;
}

std::optional<std::string> wrong_with(const demand& what) {
  for (const auto& [key, value] : what.values) {
    if (value.size() > longest_value)
      return fmt::format("found {} of {} bytes, expected at most {}", option(key), value.size(), longest_value);
  }
  const auto reason = what.values.find("reason");
  const bool needs_one = what.verb == "rollback" || what.verb == "hold" || what.verb == "ack";
  const bool may_have_one = what.verb == "flip" && reason != what.values.end();
  if (!needs_one && !may_have_one) return std::nullopt;
  if (reason == what.values.end() || is_blank(reason->second))
    return "found no word in --reason, expected why: it is recorded, with your name";
  if (what.verb != "hold") return std::nullopt;
  const auto length = hold_length(what);
  return length ? std::nullopt : std::optional(length.error());
}

}  // namespace flipback::serve
