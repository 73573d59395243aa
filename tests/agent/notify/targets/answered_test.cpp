#include "agent/notify/targets/answered.hpp"

#include "flipback/timestamp.hpp"

#include <doctest/doctest.h>

using namespace flipback;
using namespace flipback::notify;
using namespace std::chrono_literals;

TEST_CASE("retry_after_is_in_seconds_or_a_date_and_bounded") {
  const wall_time now = *parse_timestamp("2026-11-24T03:30:12Z");
  CHECK(retry_after("0", now) == 0s);
  CHECK(retry_after("120", now) == 120s);
  CHECK(retry_after("3601", now) == 1h);
  CHECK(retry_after("99999999999999999999", now) == 1h);
  CHECK(retry_after("Tue, 24 Nov 2026 03:30:42 GMT", now) == 30s);
  CHECK(retry_after("Tue, 24 Nov 2026 03:30:00 GMT", now) == 0s);
  CHECK(retry_after("Tue, 24 Nov 2026 04:30:13 GMT", now) == 1h);
  CHECK(retry_after("Wed, 01 Jan 2250 00:00:00 GMT", now) == 1h);
  for (const char* none : {"", "-1", "1.5", "soon", "5 s", "Tue, 24 Nov 2026 03:30:42"}) CHECK_FALSE(retry_after(none, now));
}
