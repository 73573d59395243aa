#include "probes/access_log/time_text.hpp"

#include <array>
#include <charconv>
#include <chrono>

namespace flipback::access_log {

namespace {

/// The whole number that fills these characters, or -1.
int digits(std::string_view text, std::size_t from, std::size_t count) {
  int value = 0;
  for (const char c : text.substr(from, count)) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return value;
}

int month_named(std::string_view name) {
  constexpr std::array<std::string_view, 12> names{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names.at(i) == name) return static_cast<int>(i) + 1;
  }
  return -1;
}

struct civil {
  int year, month, day, hour, minute, second;
  char sign;
  int zone_hours, zone_minutes;
};

std::optional<double> since_1970(const civil& c) {
  using namespace std::chrono;
  if (c.year < 0 || c.month < 0 || c.day < 0 || c.hour < 0 || c.minute < 0 || c.second < 0 || c.zone_hours < 0 || c.zone_minutes < 0)
    return std::nullopt;
  const year_month_day date(year(c.year), month(static_cast<unsigned>(c.month)), day(static_cast<unsigned>(c.day)));
  if (!date.ok() || (c.sign != '+' && c.sign != '-')) return std::nullopt;
  const seconds zone = hours(c.zone_hours) + minutes(c.zone_minutes);
  const seconds local = sys_days(date).time_since_epoch() + hours(c.hour) + minutes(c.minute) + seconds(c.second);
  return static_cast<double>((c.sign == '+' ? local - zone : local + zone).count());
}

}  // namespace

std::optional<double> seconds_since_1970(std::string_view text) {
  if (text.size() == local_time_size && text[2] == '/' && text[6] == '/' && text[11] == ':' && text[20] == ' ') {
    return since_1970({digits(text, 7, 4), month_named(text.substr(3, 3)), digits(text, 0, 2), digits(text, 12, 2), digits(text, 15, 2),
                       digits(text, 18, 2), text[21], digits(text, 22, 2), digits(text, 24, 2)});
  }
  if (text.size() == iso_time_size && text[4] == '-' && text[10] == 'T') {
    return since_1970({digits(text, 0, 4), digits(text, 5, 2), digits(text, 8, 2), digits(text, 11, 2), digits(text, 14, 2),
                       digits(text, 17, 2), text[19], digits(text, 20, 2), digits(text, 23, 2)});
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace flipback::access_log
