#include "probes/access_log/attempts.hpp"

#include <charconv>

namespace flipback::access_log {

namespace {

/// Takes the first item of a list off its front.
std::string_view take(std::string_view& list) {
  std::size_t end = 0;
  std::size_t separator = 0;
  for (; end < list.size(); ++end) {
    if (list[end] == ',') {
      separator = 1;
      break;
    }
    if (list[end] == ' ' && list.substr(end).starts_with(" : ")) {
      separator = 3;
      break;
    }
  }
  const std::string_view item = list.substr(0, end);
  list.remove_prefix(end + separator);
  if (list.starts_with(' ')) list.remove_prefix(1);
  return item;
}

std::optional<double> seconds(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

attempts attempts_of(const line& of) {
  attempts made;
  std::string_view upstreams = of.text(field::upstream);
  std::string_view statuses = of.text(field::upstream_status);
  std::string_view headers = of.text(field::header_time);
  std::string_view responses = of.text(field::response_time);
  while (!upstreams.empty() && made.size < attempts::most) {
    attempt& one = made.list[made.size++];
    one.upstream = take(upstreams);
    const std::string_view status = take(statuses);
    std::from_chars(status.data(), status.data() + status.size(), one.status);
    one.header_time = seconds(take(headers));
    one.response_time = seconds(take(responses));
  }
  return made;
}

}  // namespace flipback::access_log
