#include "probes/net/host.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace flipback::net {

std::optional<std::string> not_a_host(std::string_view text) {
  if (text.contains("://")) return "a URL";
  for (const char c : std::string_view("@/?#\\")) {
    if (text.contains(c)) return fmt::format("a text with {} in it", c);
  }
  if (std::ranges::any_of(text, [](unsigned char c) { return c <= ' ' || c == 0x7f; }))
    return "a text with a space or a control character in it";
  if (std::ranges::any_of(text, [](unsigned char c) { return c >= 0x80; }))
    return "a name with letters beyond ASCII (its ASCII form begins with xn--: idn2 prints it)";
  return std::nullopt;
}

bool report_not_a_host(settings::section& from, std::string_view key, std::string_view value) {
  const auto wrong = not_a_host(value);
  if (!wrong) return false;
  const settings::node* const written = from.raw(key);
  const bool has_variable = written != nullptr && !written->written.empty();
  from.report(key, fmt::format("found {}{}, which is not shown: a password may be in it; expected a host's name or address alone", *wrong,
                               has_variable ? fmt::format(" in {}", from.shown(key)) : ""));
  return true;
}

}  // namespace flipback::net
