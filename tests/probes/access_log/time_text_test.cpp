#include "probes/access_log/time_text.hpp"

#include <doctest/doctest.h>

using flipback::access_log::seconds_since_1970;

TEST_CASE("times_are_read_in_every_way_that_nginx_writes_them") {
  CHECK(*seconds_since_1970("1795726423.123") == doctest::Approx(1795726423.123).epsilon(1e-12));
  CHECK(seconds_since_1970("26/Nov/2026:20:53:43 +0000") == 1795726423);
  CHECK(seconds_since_1970("26/Nov/2026:22:23:43 +0130") == 1795726423);
  CHECK(seconds_since_1970("26/Nov/2026:15:53:43 -0500") == 1795726423);
  CHECK(seconds_since_1970("2026-11-26T20:53:43+00:00") == 1795726423);
  CHECK(seconds_since_1970("2026-11-27T02:23:43+05:30") == 1795726423);
  CHECK(seconds_since_1970("29/Feb/2028:00:00:00 +0000") == 1835395200);
  CHECK(seconds_since_1970("01/Jan/1970:00:00:00 +0000") == 0);
}

TEST_CASE("what_is_no_time_is_none") {
  for (const char* text : {"", "-", "now", "30/Feb/2026:20:53:43 +0000", "26/Nvo/2026:20:53:43 +0000", "26/Nov/2026:20:53:43 *0000",
                           "26/Nov/2026:2x:53:43 +0000", "2026-13-26T20:53:43+00:00", "2026-11-26T20:53:43+00:0", "1.2.3"}) {
    CAPTURE(text);
    CHECK_FALSE(seconds_since_1970(text));
  }
}
