#include "agent/rollback/error_log_line.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace flipback::rollback;

TEST_CASE("only_what_nginx_writes_at_a_lines_head_says_who_wrote_it_and_how_bad_it_is") {
  struct row {
    std::string line;
    std::string level;  ///< empty: it is no line of nginx's
    pid_t pid = 0;
  };
  const std::vector<row> rows{
      {"2026/11/27 09:04:11 [emerg] 1234#1234: bind() to 0.0.0.0:80 failed (98: Address already in use)", "emerg", 1234},
      {"2026/11/27 09:04:11 [emerg] 1#1: unknown directive \"this\" in /etc/nginx/nginx.conf:3", "emerg", 1},
      {"2026/11/27 09:04:11 [notice] 1234#1234: signal process started", "notice", 1234},
      {"2026/11/27 09:04:11 [error] 77#77: *5 connect() failed (111: Connection refused) while connecting to upstream, client: 10.0.0.7, "
       "server: , request: \"GET /[emerg] HTTP/1.1\", upstream: \"http://127.0.0.1:8000/[emerg]\", host: \"h\", referrer: \"[emerg]\"",
       "error", 77},
      {"2026/11/27 09:04:11 [error] 77#77: *5 open() \"/x/2026/11/27 09:04:11 [emerg] 1234#1234: y\" failed (2: No such file)", "error",
       77},
      {"[emerg] 1234#1234: no time before it", ""},
      {" 2026/11/27 09:04:11 [emerg] 1234#1234: not at the beginning", ""},
      {"x 2026/11/27 09:04:11 [emerg] 1234#1234: not at the beginning", ""},
      {"2026/11/27T09:04:11 [emerg] 1234#1234: another clock's", ""},
      {"2026/1/27 09:04:11 [emerg] 1234#1234: too few digits", ""},
      {"2026/11/27 09:04:11 emerg 1234#1234: without brackets", ""},
      {"2026/11/27 09:04:11 [emerg ] 1234#1234: another level", ""},
      {"2026/11/27 09:04:11 [] 1234#1234: without a level", ""},
      {"2026/11/27 09:04:11 [panic] 1234#1234: a level that nginx does not have", ""},
      {"2026/11/27 09:04:11 [emerg] 1234: without a thread", ""},
      {"2026/11/27 09:04:11 [emerg] -1234#1234: no process", ""},
      {"2026/11/27 09:04:11 [emerg] 99999999999999999999#1: no process", ""},
      {"2026/11/27 09:04:11 [emerg] 1234#12", ""},
      {"2026/11/27 09:04:11 [emerg] ", ""},
      {"2026/11/27 09:04:11 [emerg", ""},
      {"2026/11/27", ""},
      {"", ""},
  };
  for (const row& r : rows) {
    CAPTURE(r.line);
    const auto read = read_error_log_line(r.line);
    REQUIRE(read.has_value() == !r.level.empty());
    if (!read) continue;
    CHECK(read->level == r.level);
    CHECK(read->pid == r.pid);
  }
}
