#include "flipback/units.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <span>

namespace flipback {

namespace {

struct named_span {
  std::string_view name;
  std::int64_t nanoseconds;
};
// Largest first: the order in which a text may use them.
constexpr std::array<named_span, 8> spans{{{"w", 604'800'000'000'000},
                                           {"d", 86'400'000'000'000},
                                           {"h", 3'600'000'000'000},
                                           {"m", 60'000'000'000},
                                           {"s", 1'000'000'000},
                                           {"ms", 1'000'000},
                                           {"us", 1'000},
                                           {"ns", 1}}};

struct named_size {
  std::string_view name;
  double bytes;
};
constexpr std::array<named_size, 9> sizes{{{"B", 1},
                                           {"kB", 1e3},
                                           {"MB", 1e6},
                                           {"GB", 1e9},
                                           {"TB", 1e12},
                                           {"KiB", 1024},
                                           {"MiB", 1024.0 * 1024},
                                           {"GiB", 1024.0 * 1024 * 1024},
                                           {"TiB", 1024.0 * 1024 * 1024 * 1024}}};

struct leading_number {
  double value;
  std::string_view rest;
};

std::expected<leading_number, std::string> take_number(std::string_view text) {
  if (text.starts_with('-')) return std::unexpected("is negative");
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc{} || !std::isfinite(value)) return std::unexpected("has no number");
  return leading_number{value, text.substr(static_cast<std::size_t>(end - text.data()))};
}

/// At most `digits` decimals, without zeros at the end.
std::string trimmed(double value, int digits) {
  std::string text = fmt::format("{:.{}f}", value, digits);
  if (text.contains('.')) {
    while (text.ends_with('0')) text.pop_back();
    if (text.ends_with('.')) text.pop_back();
  }
  return text == "-0" ? "0" : text;
}

}  // namespace

duration from_seconds(double seconds) {
  return duration(static_cast<std::int64_t>(std::llround(seconds * 1e9)));
}

std::expected<duration, std::string> parse_duration(std::string_view text) {
  if (text.empty()) return std::unexpected("is empty");
  if (text == "0") return duration{};
  double total = 0;
  auto next = spans.begin();
  while (!text.empty()) {
    const auto number = take_number(text);
    if (!number) return std::unexpected(number.error());
    const std::size_t letters = std::min(number->rest.find_first_of("0123456789.-"), number->rest.size());
    const std::string_view name = number->rest.substr(0, letters);
    if (name.empty()) return std::unexpected("has no unit");
    const auto* at = spans.begin();
    while (at != spans.end() && at->name != name) ++at;
    if (at == spans.end()) return std::unexpected(fmt::format("has the unknown unit \"{}\"", name));
    if (at < next) return std::unexpected("has its units not from large to small, each once");
    next = at + 1;
    total += number->value * static_cast<double>(at->nanoseconds);
    text = number->rest.substr(letters);
  }
  if (total > static_cast<double>(std::numeric_limits<std::int64_t>::max()) / 4) return std::unexpected("is too long");
  return duration(static_cast<std::int64_t>(std::llround(total)));
}

std::expected<std::uint64_t, std::string> parse_size(std::string_view text) {
  const auto number = take_number(text);
  if (!number) return std::unexpected(number.error());
  const std::string_view name = number->rest.empty() ? "B" : number->rest;
  for (const named_size& s : sizes) {
    if (s.name != name) continue;
    const double bytes = number->value * s.bytes;
    if (bytes > 9e18) return std::unexpected("is too large");
    return static_cast<std::uint64_t>(std::llround(bytes));
  }
  return std::unexpected(fmt::format("has the unknown unit \"{}\"", name));
}

std::expected<double, std::string> parse_ratio(std::string_view text) {
  const auto number = take_number(text);
  if (!number) return std::unexpected(number.error());
  if (!number->rest.empty() && number->rest != "%") return std::unexpected(fmt::format("has the unknown unit \"{}\"", number->rest));
  const double value = number->rest == "%" ? number->value / 100 : number->value;
  if (value > 1) return std::unexpected("is more than 100%");
  return value;
}

std::string format_duration(duration d) {
  if (d < duration{}) return "-" + format_duration(-d);
  if (d == duration{}) return "0s";
  const std::int64_t count = d.count();
  if (count < 1'000) return fmt::format("{}ns", count);
  if (count < 1'000'000) return trimmed(static_cast<double>(count) / 1e3, 1) + "us";
  if (count < 1'000'000'000) return trimmed(static_cast<double>(count) / 1e6, count < 10'000'000 ? 1 : 0) + "ms";
  if (count < 60'000'000'000) return trimmed(static_cast<double>(count) / 1e9, 2) + "s";
  std::string text;
  std::int64_t left = count / 1'000'000'000;
  for (const named_span& s : std::span(spans).first(5)) {
    const std::int64_t seconds = s.nanoseconds / 1'000'000'000;
    const bool whole = s.name != "w" || left % seconds == 0;  // "10d", not "1w3d"
    if (left >= seconds && whole) {
      text += fmt::format("{}{}", left / seconds, s.name);
      left %= seconds;
    }
  }
  return text;
}

std::string format_size(double bytes) {
  const auto* best = &sizes[0];
  for (const named_size& s : std::span(sizes).subspan(5)) {
    if (std::abs(bytes) >= s.bytes) best = &s;
  }
  return trimmed(bytes / best->bytes, 2) + std::string(best->name);
}

std::string format_ratio(double ratio) {
  return trimmed(ratio * 100, 2) + "%";
}

std::string format_value(double value, unit u) {
  if (!std::isfinite(value)) return "nothing";
  switch (u) {
    case unit::seconds:
      return std::abs(value) < 9e9 ? format_duration(from_seconds(value)) : trimmed(value, 0) + "s";
    case unit::ratio:
      return format_ratio(value);
    case unit::bytes:
      return format_size(value);
    case unit::per_second:
      return trimmed(value, 2) + "/s";
    case unit::number:
      break;
  }
  return trimmed(value, 4);
}

std::string_view name_of(unit u) {
  constexpr std::array<std::string_view, 5> names{"a plain number", "seconds", "a ratio", "bytes", "a rate per second"};
  return names.at(static_cast<std::size_t>(u));
}

}  // namespace flipback
