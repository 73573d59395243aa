#include "probes/access_log/syslog_message.hpp"

#include <algorithm>

namespace flipback::access_log {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

std::optional<std::string_view> line_in_syslog(std::string_view message) {
  constexpr std::size_t longest_priority = 3;
  constexpr std::size_t time_size = 15;  // "Nov 26 20:53:43"
  const std::size_t close = message.find('>');
  if (!message.starts_with('<') || close == std::string_view::npos || close < 2 || close > longest_priority + 1) return std::nullopt;
  if (!std::ranges::all_of(message.substr(1, close - 1), is_digit)) return std::nullopt;
  message.remove_prefix(close + 1);
  if (message.size() <= time_size || message[3] != ' ' || message[6] != ' ' || message[9] != ':' || message[time_size] != ' ')
    return std::nullopt;
  message.remove_prefix(time_size + 1);
  const std::size_t tag_end = message.find(": ");
  if (tag_end == std::string_view::npos || message.contains('\n')) return std::nullopt;
  return message.substr(tag_end + 2);
}

}  // namespace flipback::access_log
