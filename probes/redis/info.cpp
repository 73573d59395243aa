#include "probes/redis/info.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace flipback::redis {

namespace {

/// What follows `name` and `sign` in the part of `text` that begins with them; parts end with `end`.
std::optional<std::string_view> value_after(std::string_view text, std::string_view name, char sign, char end) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t stop = std::min(text.find(end, at), text.size());
    std::string_view part = text.substr(at, stop - at);
    at = stop + 1;
    if (!part.starts_with(name) || part.size() <= name.size() || part[name.size()] != sign) continue;
    part.remove_prefix(name.size() + 1);
    if (part.ends_with('\r')) part.remove_suffix(1);
    return part;
  }
  return std::nullopt;
}

}  // namespace

std::optional<double> number_of(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<std::string_view> info::text(std::string_view name) const {
  return value_after(text_, name, ':', '\n');
}

std::optional<double> info::number(std::string_view name) const {
  const auto found = text(name);
  return found ? number_of(*found) : std::nullopt;
}

std::optional<std::string_view> field_of(std::string_view line, std::string_view name) {
  return value_after(line, name, '=', ',');
}

}  // namespace flipback::redis
