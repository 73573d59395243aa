#include "flipback/timestamp.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <time.h>

#include <algorithm>

namespace flipback {

namespace {

constexpr int first_year = 1678;  // the first and the last whole year of nanoseconds in 64 bits around 1970
constexpr int last_year = 2261;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Takes a text apart from its front; once something was not there, nothing is any more.
class reader {
 public:
  explicit reader(std::string_view text) : rest_(text) {}

  /// As many digits, a number up to `most`.
  int number(std::size_t digits, int most) {
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      if (i >= rest_.size() || !is_digit(rest_[i])) return fail();
      value = value * 10 + (rest_[i] - '0');
    }
    if (value > most) return fail();
    rest_.remove_prefix(digits);
    return value;
  }

  /// One of these characters; which.
  char one_of(std::string_view characters) {
    if (rest_.empty() || !characters.contains(rest_.front())) {
      fail();
      return 0;
    }
    const char found = rest_.front();
    rest_.remove_prefix(1);
    return found;
  }

  /// ".463004", or nothing at all.
  duration fraction() {
    if (!rest_.starts_with('.')) return {};
    rest_.remove_prefix(1);
    const auto digits = static_cast<std::size_t>(std::ranges::find_if_not(rest_, is_digit) - rest_.begin());
    if (digits == 0) fail();
    duration::rep nanoseconds = 0;
    for (std::size_t i = 0; i < 9; ++i) nanoseconds = nanoseconds * 10 + (i < digits ? rest_[i] - '0' : 0);
    rest_.remove_prefix(digits);
    return duration(nanoseconds);
  }

  [[nodiscard]] bool is_whole() const { return good_ && rest_.empty(); }

 private:
  int fail() {
    good_ = false;
    return 0;
  }

  std::string_view rest_;
  bool good_ = true;
};

}  // namespace

std::string time_text(wall_time at) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(at);
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(at - seconds).count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)), milliseconds);
}

std::optional<wall_time> parse_timestamp(std::string_view rfc3339) {
  using namespace std::chrono;
  reader read(rfc3339);
  const year in_year(read.number(4, last_year));
  read.one_of("-");
  const month in_month(static_cast<unsigned>(read.number(2, 12)));
  read.one_of("-");
  const day on_day(static_cast<unsigned>(read.number(2, 31)));
  read.one_of("Tt ");
  const hours hour(read.number(2, 23));
  read.one_of(":");
  const minutes minute(read.number(2, 59));
  read.one_of(":");
  const seconds second(read.number(2, 60));  // 60: a leap second
  const duration fraction = read.fraction();
  const char offset_sign = read.one_of("Zz+-");
  minutes offset{};
  if (offset_sign == '+' || offset_sign == '-') {
    offset = hours(read.number(2, 23));
    read.one_of(":");
    offset += minutes(read.number(2, 59));
  }
  const year_month_day date(in_year, in_month, on_day);
  if (!read.is_whole() || !date.ok() || in_year < year(first_year)) return std::nullopt;
  return sys_days(date) + hour + minute + second + fraction - (offset_sign == '-' ? -offset : offset);
}

std::optional<wall_time> parse_http_date(const std::string& date) {
  tm parts{};
  const char* const end = strptime(date.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);  // the locale is "C": nobody sets another
  const bool can_be_held = parts.tm_year + 1900 >= first_year && parts.tm_year + 1900 <= last_year;
  if (end != date.c_str() + date.size() || !can_be_held) return std::nullopt;
  return std::chrono::system_clock::from_time_t(timegm(&parts));
}

}  // namespace flipback
