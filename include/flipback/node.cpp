#include "flipback/settings.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace flipback::settings {

namespace {

/// The password of a URL that a person wrote out is a secret wherever it stands, and also where its / or ? should have been %2F or %3F:
/// then what follows the colon is no port.
std::string without_password(std::string text) {
  const std::size_t scheme = text.find("://");
  if (scheme == std::string::npos) return text;
  const std::size_t colon = text.find(':', scheme + 3);
  if (colon == std::string::npos) return text;
  const std::size_t end = std::min(text.find_first_of("/?#", scheme + 3), text.size());
  std::size_t at = text.substr(0, end).rfind('@');
  const bool port = colon > scheme + 3 && text.find_first_not_of("0123456789", colon + 1) >= end;
  if (at == std::string::npos && !port) at = text.rfind('@');
  if (at == std::string::npos || colon > at) return text;
  return text.replace(colon + 1, at - colon - 1, "***");
}

std::string shortened(std::string text) {
  constexpr std::size_t most = 80;
  if (text.size() <= most) return text;
  std::size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;  // never half a character
  return text.substr(0, end) + "…";
}

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n')
      out += "\\n";
    else if (c == '\t')
      out += "\\t";
    else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    else
      out += c;
  }
  return out + "\"";
}

}  // namespace

std::string_view kind_of(const node& n) {
  struct {
    std::string_view operator()(const std::string& /*unused*/) const { return "a string"; }
    std::string_view operator()(std::int64_t /*unused*/) const { return "an integer"; }
    std::string_view operator()(double /*unused*/) const { return "a number"; }
    std::string_view operator()(bool /*unused*/) const { return "a boolean"; }
    std::string_view operator()(const array& /*unused*/) const { return "an array"; }
    std::string_view operator()(const table& /*unused*/) const { return "a table"; }
  } constexpr kind;
  return std::visit(kind, n.value);
}

std::string shown(const node& n) {
  if (!n.written.empty()) return in_quotes(shortened(without_password(n.written)));
  if (const auto* text = std::get_if<std::string>(&n.value)) return in_quotes(shortened(without_password(*text)));
  if (const auto* whole = std::get_if<std::int64_t>(&n.value)) return fmt::format("{}", *whole);
  if (const auto* number = std::get_if<double>(&n.value)) return fmt::format("{}", *number);
  if (const auto* yes = std::get_if<bool>(&n.value)) return *yes ? "true" : "false";
  return std::string(kind_of(n));
}

}  // namespace flipback::settings
