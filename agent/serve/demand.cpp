#include "agent/serve/demand.hpp"

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

std::optional<std::string> wrong_with(const demand& what) {
  for (const auto& [key, value] : what.values) {
    if (value.size() > longest_value)
      return fmt::format("found {} of {} bytes, expected at most {}", option(key), value.size(), longest_value);
  }
  if (what.verb != "rollback" && what.verb != "hold") return std::nullopt;
  const auto reason = what.values.find("reason");
  if (reason == what.values.end() || is_blank(reason->second))
    return "found no word in --reason, expected why: it is recorded, with your name";
  return std::nullopt;
}

}  // namespace flipback::serve
