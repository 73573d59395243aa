#include "agent/rollback/error_log_line.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace flipback::rollback {

namespace {

constexpr std::string_view time_shape = "0000/00/00 00:00:00 [";
constexpr std::array<std::string_view, 8> levels{"emerg", "alert", "crit", "error", "warn", "notice", "info", "debug"};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Takes a number from the front of the text, and what must follow it.
std::optional<pid_t> take_number(std::string_view& text, std::string_view then) {
  pid_t number = 0;
  if (text.empty() || !is_digit(text.front())) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (error != std::errc{} || !text.starts_with(then)) return std::nullopt;
  text.remove_prefix(then.size());
  return number;
}

}  // namespace

std::optional<error_log_line> read_error_log_line(std::string_view line) {
  const auto fits = [](char shape, char c) { return shape == '0' ? is_digit(c) : shape == c; };
  const std::string_view time = line.substr(0, time_shape.size());
  if (!std::ranges::equal(time_shape, time, fits)) return std::nullopt;
  line.remove_prefix(time.size());
  const std::size_t end = line.find("] ");
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view level = line.substr(0, end);
  if (std::ranges::find(levels, level) == levels.end()) return std::nullopt;
  line.remove_prefix(end + 2);
  const auto pid = take_number(line, "#");
  if (!pid || !take_number(line, ": ")) return std::nullopt;
  return error_log_line{level, *pid};
}

}  // namespace flipback::rollback
