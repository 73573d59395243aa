#include "agent/serve/http_message.hpp"

#include <algorithm>

namespace flipback::serve {

namespace {

bool is_same(std::string_view a, std::string_view b) {
  const auto small = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, small, small);
}

}  // namespace

std::optional<std::string_view> request::header(std::string_view name) const {
  std::optional<std::string_view> found;
  for (const auto& [its, value] : headers) {
    if (!is_same(its, name)) continue;
    if (found) return std::nullopt;
    found = value;
  }
  return found;
}

bool request::has_header(std::string_view name) const {
  return std::ranges::any_of(headers, [&](const auto& h) { return is_same(h.first, name); });
}

}  // namespace flipback::serve
