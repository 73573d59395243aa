#include "flipback/settings.hpp"
#include "flipback/small_file.hpp"

#include <fmt/format.h>

#include <limits>

// The readers of what has a unit, and of secrets.
namespace flipback::settings {

namespace {

constexpr std::string_view a_duration = R"(a duration such as "5s" or "1m30s")";
constexpr std::string_view a_size = R"(a size such as "512KiB" or "1MiB")";
constexpr std::string_view a_ratio = R"(a ratio such as "5%" or 0.05)";

/// What is wrong with a text. It may quote a part of the value, so it is only said of what the person wrote out.
std::string wrong(const node& found, const std::string& why, std::string_view expected) {
  if (!found.written.empty()) return fmt::format("found {}, expected {}", shown(found), expected);
  return fmt::format("found {}, which {}; expected {}", shown(found), why, expected);
}

constexpr std::size_t longest_secret = 64 * 1024;

std::expected<std::string, std::string> read_secret(const std::string& path) {
  auto read = read_small_file(path, longest_secret);
  if (!read) return read;
  std::string& text = *read;
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  if (text.empty()) return std::unexpected("is empty");
  return read;
}

}  // namespace

std::optional<duration> section::span(std::string_view key, duration low, duration high) {
  const node* found = find(key);
  if (found == nullptr) return std::nullopt;
  const auto* text = std::get_if<std::string>(&found->value);
  if (text == nullptr) {
    mismatch(key, *found, a_duration);
    return std::nullopt;
  }
  const auto value = parse_duration(*text);
  if (!value) {
    report(key, wrong(*found, value.error(), a_duration));
    return std::nullopt;
  }
  if (*value >= low && *value <= high) return *value;
  const std::string expected = high == duration::max() ? fmt::format("at least {}", format_duration(low))
                                                       : fmt::format("{} to {}", format_duration(low), format_duration(high));
  report(key, fmt::format("found {}, expected {}", settings::shown(*found), expected));
  return std::nullopt;
}

duration section::span(std::string_view key, duration fallback, duration low, duration high) {
  return span(key, low, high).value_or(fallback);
}

std::uint64_t section::size(std::string_view key, std::uint64_t fallback, std::uint64_t low, std::uint64_t high) {
  const node* found = find(key);
  if (found == nullptr) return fallback;
  std::uint64_t value = 0;
  if (const auto* whole = std::get_if<std::int64_t>(&found->value); whole != nullptr && *whole >= 0) {
    value = static_cast<std::uint64_t>(*whole);
  } else if (const auto* text = std::get_if<std::string>(&found->value)) {
    const auto read = parse_size(*text);
    if (!read) {
      report(key, wrong(*found, read.error(), a_size));
      return fallback;
    }
    value = *read;
  } else {
    mismatch(key, *found, a_size);
    return fallback;
  }
  if (value >= low && value <= high) return value;
  const bool open = high >= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const std::string least = format_size(static_cast<double>(low));
  const std::string expected =
      open ? fmt::format("at least {}", least) : fmt::format("{} to {}", least, format_size(static_cast<double>(high)));
  report(key, fmt::format("found {}, expected {}", settings::shown(*found), expected));
  return fallback;
}

double section::ratio(std::string_view key, double fallback) {
  const node* found = find(key);
  if (found == nullptr) return fallback;
  if (const auto* text = std::get_if<std::string>(&found->value)) {
    const auto value = parse_ratio(*text);
    if (!value) report(key, wrong(*found, value.error(), a_ratio));
    return value.value_or(fallback);
  }
  const auto* number = std::get_if<double>(&found->value);
  const auto* whole = std::get_if<std::int64_t>(&found->value);
  if (number == nullptr && whole == nullptr) {
    mismatch(key, *found, a_ratio);
    return fallback;
  }
  const double value = number != nullptr ? *number : static_cast<double>(*whole);
  if (value >= 0 && value <= 1) return value;
  report(key, fmt::format("found {}, expected a ratio from 0 to 1, or as a percentage: \"5%\"", settings::shown(*found)));
  return fallback;
}

secret section::kept(secret s) {
  keep(s);
  return s;
}

std::optional<secret> section::hidden(std::string_view key) {
  const std::string file_key = fmt::format("{}_file", key);
  const node* found = find(key);
  const node* file = find(file_key);
  if (found != nullptr && file != nullptr) {
    report(file_key, fmt::format("{} is given too; keep one of the two", key));
    return std::nullopt;
  }
  if (found != nullptr) {
    if (const auto* text = std::get_if<std::string>(&found->value)) return kept(secret(*text));
    report(key, fmt::format("found {}, expected a string", kind_of(*found)));  // never its value
    return std::nullopt;
  }
  if (file == nullptr) return std::nullopt;
  const auto* path = std::get_if<std::string>(&file->value);
  if (path == nullptr) {
    mismatch(file_key, *file, "a path such as \"/run/secrets/password\"");
    return std::nullopt;
  }
  auto read = read_secret(*path);
  if (read) return kept(secret(std::move(*read)));
  report(file_key, fmt::format("can't take a secret from {}: {}", settings::shown(*file), read.error()));
  return std::nullopt;
}

}  // namespace flipback::settings
