#include "probes/net/http_client.hpp"

#include <doctest/doctest.h>

using namespace flipback::net;

TEST_CASE("urls_are_taken_apart") {
  struct row {
    const char* text;
    bool tls;
    const char* to;
    const char* target;
  };
  const row rows[] = {
      {"http://127.0.0.1", false, "127.0.0.1:80", "/"},
      {"https://api.example.com/health?x=1", true, "api.example.com:443", "/health?x=1"},
      {"http://[::1]:8080/a", false, "[::1]:8080", "/a"},
      {"http://host?x", false, "host:80", "/?x"},
      {"http://host/a#part", false, "host:80", "/a"},
      {"http+unix:///run/x.sock:/health", false, "unix:/run/x.sock", "/health"},
      {"http+unix:///run/x.sock", false, "unix:/run/x.sock", "/"},
  };
  for (const row& r : rows) {
    CAPTURE(r.text);
    const auto parsed = parse_url(r.text);
    REQUIRE(parsed.has_value());
    CHECK(parsed->tls == r.tls);
    CHECK(to_string(parsed->to) == r.to);
    CHECK(parsed->target == r.target);
  }
}

TEST_CASE("urls_that_make_no_sense_say_why") {
  const std::pair<const char*, const char*> rows[] = {
      {"", "does not begin with http://, https:// or http+unix://"},
      {"ftp://x", "does not begin with http://, https:// or http+unix://"},
      {"http://", "has no host"},
      {"http://:80", "has no host"},
      {"http://host:", "has a : without a port"},
      {"http://host:0", "has the port \"0\", which is not a number from 1 to 65535"},
      {"http://host:65536", "has the port \"65536\", which is not a number from 1 to 65535"},
      {"http://host:8o", "has the port \"8o\", which is not a number from 1 to 65535"},
      {"http://::1/", "has an IPv6 address without [ ]"},
      {"http://[::1", "has a [ without its ]"},
      {"http://a b/", "has a space or a control character in it"},
      {"http://a/\r\nX: y", "has a space or a control character in it"},
      {"http+unix://run/x.sock", "has no absolute path of a socket"},
  };
  for (const auto& [text, says] : rows) {
    CAPTURE(text);
    const auto parsed = parse_url(text);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error() == says);
  }
  CHECK(parse_url("http://user:hunter2@host/").error().find("hunter2") == std::string::npos);
}
