#include "agent/notify/targets/answered.hpp"

#include "flipback/quoted.hpp"
#include "flipback/timestamp.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

namespace flipback::notify {

namespace {

attempt::result result_of(unsigned status) {
  constexpr std::array<unsigned, 8> not_of_the_letter{401, 403, 404, 407, 408, 410, 425, 429};
  if (status / 100 == 2) return attempt::result::delivered;
  const bool of_the_letter = status / 100 == 4 && std::ranges::find(not_of_the_letter, status) == not_of_the_letter.end();
  return of_the_letter ? attempt::result::refused : attempt::result::not_yet;
}

}  // namespace

std::optional<duration> retry_after(std::string_view header, wall_time now) {
  std::uint32_t seconds = 0;
  const auto [end, error] = std::from_chars(header.data(), header.data() + header.size(), seconds);
  const bool is_number = !header.empty() && end == header.data() + header.size();
  if (is_number && error == std::errc::result_out_of_range) return longest_wait;
  if (is_number && error == std::errc{}) return std::min<duration>(std::chrono::seconds(seconds), longest_wait);
  const auto at = parse_http_date(std::string(header));
  if (!at) return std::nullopt;
  // Compared before subtracting: a date of 2261 lies further ahead than a duration of nanoseconds reaches from some of today.
  if (*at <= now) return duration::zero();
  return *at >= now + longest_wait ? longest_wait : std::chrono::duration_cast<duration>(*at - now);
}

std::optional<duration> retry_after(const net::http_answer& answer) {
  const std::string* header = answer.header("Retry-After");
  return header == nullptr ? std::nullopt : retry_after(*header, std::chrono::system_clock::now());
}

attempt attempt_of(const net::result<net::http_answer>& answer, const net::api_access& asked) {
  const std::string whom = net::host_of(asked.ask);
  if (!answer) return {attempt::result::not_yet, fmt::format("{}: {}", whom, answer.error().says)};
  attempt made{result_of(answer->status)};
  if (made.is == attempt::result::delivered) return made;
  made.says = net::unexpected(*answer, whom, "2xx", asked.secrets).says;
  const std::string body = quoted(answer->body, asked.secrets);
  if (!body.empty()) made.says += fmt::format("; it says \"{}\"", body);
  if (made.is == attempt::result::not_yet) made.after = retry_after(*answer);
  return made;
}

}  // namespace flipback::notify
