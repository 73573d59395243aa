#include "flipback/units.hpp"

#include <doctest/doctest.h>

using namespace flipback;
using namespace std::chrono_literals;

TEST_CASE("durations_are_read_as_people_write_them") {
  const std::pair<const char*, duration> good[] = {{"5s", 5s},      {"1m30s", 90s}, {"250ms", 250ms}, {"0", 0s},
                                                   {"1.5h", 90min}, {"2d", 48h},    {"1w", 168h},     {"10us", 10us}};
  for (const auto& [text, value] : good) {
    CAPTURE(text);
    CHECK(parse_duration(text).value_or(-1s) == value);
  }
  for (const char* bad : {"", "5", "5 s", "s", "5parsecs", "30s1m", "1m1m", "-5s", "1e3s", "99999999999w", "5s "}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_duration(bad).has_value());
  }
}

TEST_CASE("sizes_and_ratios_are_read_as_people_write_them") {
  CHECK(*parse_size("1MiB") == 1'048'576);
  CHECK(*parse_size("1MB") == 1'000'000);
  CHECK(*parse_size("512") == 512);
  CHECK_FALSE(parse_size("1mb").has_value());
  CHECK(*parse_ratio("5%") == doctest::Approx(0.05));
  CHECK(*parse_ratio("0.2") == doctest::Approx(0.2));
  CHECK_FALSE(parse_ratio("120%").has_value());
  CHECK_FALSE(parse_ratio("5percent").has_value());
}

TEST_CASE("values_are_shown_short") {
  const std::pair<duration, const char*> shown[] = {{0s, "0s"},     {90s, "1m30s"},  {250ms, "250ms"}, {1500ms, "1.5s"},
                                                    {15min, "15m"}, {7 * 24h, "1w"}, {800us, "800us"}};
  for (const auto& [value, text] : shown) CHECK(format_duration(value) == text);
  CHECK(format_ratio(0.0502) == "5.02%");
  CHECK(format_size(1.5 * 1024 * 1024 * 1024) == "1.5GiB");
}
