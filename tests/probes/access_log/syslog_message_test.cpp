#include "probes/access_log/syslog_message.hpp"

#include <doctest/doctest.h>

using flipback::access_log::line_in_syslog;

TEST_CASE("the_line_is_what_follows_the_tag_with_or_without_a_host") {
  CHECK(line_in_syslog("<190>Nov 26 20:53:43 web1 nginx: {\"a\":\"b: c\"}") == "{\"a\":\"b: c\"}");
  CHECK(line_in_syslog("<190>Nov  6 20:53:43 nginx: x") == "x");
  CHECK(line_in_syslog("<6>Nov 26 20:53:43 web1.example.com flipback: ") == "");
}

TEST_CASE("what_is_no_syslog_message_has_no_line") {
  for (const char* text : {"", "<", "<>Nov 26 20:53:43 nginx: x", "<1900>Nov 26 20:53:43 nginx: x", "<1a>Nov 26 20:53:43 nginx: x",
                           "{\"a\":1}", "<190>Nov 26", "<190>Nov 26 20:53:43", "<190>Nov 26 20:53:43 nginx",
                           "<190>1 2026-11-26T20:53:43Z web1 nginx - - - x", "<190>Nov 26 20:53:43 nginx: two\nlines"}) {
    CAPTURE(text);
    CHECK_FALSE(line_in_syslog(text));
  }
}
