#include "flipback/settings.hpp"
#include "flipback/shown_item.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace flipback::settings {

namespace {

/// Where the password of a URL begins and ends, or its user where it has no other; equal: there is none. Also where the password's / or ?
/// should have been %2F or %3F, or the host behind it was forgotten: then what follows the colon is no port.
std::pair<std::size_t, std::size_t> password_in(std::string_view text, std::size_t authority) {
  const std::size_t colon = text.find(':', authority);
  const std::size_t end = std::min(text.find_first_of("/?#", authority), text.size());
  std::size_t at = text.substr(0, end).rfind('@');
  const bool has_port = colon > authority && text.find_first_not_of("0123456789", colon + 1) >= end;
  if (at == std::string_view::npos && colon < end && !has_port) at = text.rfind('@');
  if (at != std::string_view::npos && at < authority) at = std::string_view::npos;
  if (at != std::string_view::npos) return {colon < at ? colon + 1 : authority, at};
  const bool is_address = text.find_first_not_of("0123456789abcdefABCDEF.:[]", authority) >= end;
  if (colon < end && !has_port && !is_address && text[authority] != '[') return {colon + 1, end};
  return {end, end};
}

/// The password of a URL that a person wrote out is a secret wherever it stands, and so is what a query's parameters are.
std::string without_password(std::string text) {
  const std::size_t scheme = text.find("://");
  if (scheme == std::string::npos) {  // "user:password@host": a URL whose beginning was forgotten
    const std::size_t colon = text.find(':');
    const std::size_t at = text.rfind('@');
    return colon < at && at != std::string::npos ? text.replace(colon + 1, at - colon - 1, "***") : text;
  }
  if (scheme + 3 >= text.size()) return text;
  for (std::size_t query = text.find('?', scheme); query != std::string::npos && query < text.size();) {
    const std::size_t equals = text.find('=', query);
    if (equals == std::string::npos) break;
    const std::size_t end = std::min(text.find_first_of("&# ", equals), text.size());
    if (end > equals + 1) text.replace(equals + 1, end - equals - 1, "***");
    query = text.find('&', equals);
  }
  const auto [begin, end] = password_in(text, scheme + 3);
  return end > begin ? text.replace(begin, end - begin, "***") : text;
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

std::string shown_item(section& from, std::string_view key, std::size_t number) {
  const node* const found = from.raw(key);
  if (found == nullptr) return "nothing";
  const auto* const several = std::get_if<array>(&found->value);
  return shown(several == nullptr || number >= several->size() ? *found : (*several)[number]);
}

}  // namespace flipback::settings
