#include "flipback/timestamp.hpp"

#include <doctest/doctest.h>

using namespace flipback;
using namespace std::chrono;

namespace {

/// `at` seconds after 1970, in nanoseconds.
wall_time epoch(seconds at, nanoseconds more = {}) {
  return wall_time(at + more);
}

}  // namespace

TEST_CASE("a_timestamp_is_read_with_its_offset_and_its_fraction") {
  struct example {
    std::string_view text;
    wall_time is;
  };
  constexpr seconds noon(1'795'521'600);  // 2026-11-24T12:00:00Z, as date(1) says
  for (const example& e : {
           example{"1970-01-01T00:00:00Z", epoch(0s)},
           example{"2026-11-24T12:00:00Z", epoch(noon)},
           example{"2026-11-24t12:00:00z", epoch(noon)},
           example{"2026-11-24 12:00:00+00:00", epoch(noon)},
           example{"2026-11-24T12:00:00.463004+00:00", epoch(noon, 463'004us)},
           example{"2026-11-24T13:30:00+01:30", epoch(noon)},
           example{"2026-11-24T04:00:00.5-08:00", epoch(noon, 500ms)},
           example{"2026-11-24T12:00:00.123456789999Z", epoch(noon, 123'456'789ns)},
           example{"2026-11-25T00:00:00-00:00", epoch(noon + 12h)},
           example{"2024-02-29T23:59:60Z", epoch(1'709'251'200s)},  // a leap second is the next minute's first
           example{"1969-12-31T23:59:59Z", epoch(-1s)},
       }) {
    CAPTURE(e.text);
    const auto found = parse_timestamp(e.text);
    REQUIRE(found);
    CHECK(*found == e.is);
  }
}

TEST_CASE("what_is_no_timestamp_or_no_time_that_can_be_held_is_nothing") {
  for (const std::string_view text : {
           "",
           "null",
           "2026-11-24",
           "2026-11-24T12:00:00",  // where?
           "2026-11-24T12:00Z",    // RFC 3339 wants seconds
           "2026-11-24T12:00:00.Z",
           "2026-11-24T12:00:00+0000",
           "2026-11-24T12:00:00+00:00 ",
           " 2026-11-24T12:00:00Z",
           "2026-11-24T12:00:00Zulu",
           "2026-13-01T12:00:00Z",
           "2026-00-01T12:00:00Z",
           "2026-02-29T12:00:00Z",
           "2026-11-31T12:00:00Z",
           "2026-11-00T12:00:00Z",
           "2026-11-24T24:00:00Z",
           "2026-11-24T12:60:00Z",
           "2026-11-24T12:00:61Z",
           "2026-11-24T12:00:00+24:00",
           "+026-11-24T12:00:00Z",
           "2026-1-24T12:00:00Z",
           "-2026-11-24T12:00:00Z",
           "0001-01-01T00:00:00Z",
           "9999-12-31T23:59:59Z",
           "1677-09-21T00:12:43Z",
       }) {
    CAPTURE(text);
    CHECK_FALSE(parse_timestamp(text));
  }
}

TEST_CASE("a_headers_date_is_read") {
  CHECK(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == epoch(784'111'777s));  // RFC 9110's own example
  for (const char* const text :
       {"", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 GMT+1", "Sun, 06 Foo 1994 08:49:37 GMT", "1994-11-06T08:49:37Z",
        "Sun, 06 Nov 1994 25:49:37 GMT", "Fri, 26 Nov 9999 20:53:01 GMT", "Mon, 01 Jan 0001 00:00:00 GMT"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_http_date(text));
  }
}
