#include "probes/net/url.hpp"

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
      {"http://host:0", "has a port that is no number from 1 to 65535"},
      {"http://host:65536", "has a port that is no number from 1 to 65535"},
      {"http://host:8o", "has a port that is no number from 1 to 65535"},
      {"http://::1/", "has an IPv6 address without [ ]"},
      {"http://[::1", "has a [ without its ]"},
      {"http://a b/", "has a space or a control character in it"},
      {"http://a/\r\nX: y", "has a space or a control character in it"},
      {"http://[::1]x", "has something other than a port after the ]"},
      {"http://büro.example/",
       "has a name with letters beyond ASCII (its ASCII form begins with xn--: idn2 prints it) in the place of its host"},
      {"http+unix://run/x.sock", "has no absolute path of a socket"},
      {"http+unix:///run/x.sock:health", "has a path that does not begin with /"},
  };
  for (const auto& [text, says] : rows) {
    CAPTURE(text);
    const auto parsed = parse_url(text);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error() == says);
  }
  CHECK(parse_url("http://user:hunter2@host/").error().find("hunter2") == std::string::npos);
}

TEST_CASE("credentials_are_decoded_where_a_scheme_has_them_and_shown_nowhere") {
  const scheme with[] = {{"redis", 6379, false, true}, {"rediss", 6379, true, true}};
  const auto parsed = parse_url("rediss://us%20er:p%2Fa%40ss:w@db/3", with);
  REQUIRE(parsed.has_value());
  CHECK(parsed->tls);
  CHECK(parsed->user == "us er");
  CHECK(parsed->password.reveal() == "p/a@ss:w");
  CHECK(to_string(parsed->to) == "db:6379");
  CHECK(parsed->target == "/3");
  CHECK(parse_url("redis://:p@[::1]:7/", with)->password.reveal() == "p");
  CHECK(parse_url("http://x", with).error() == "does not begin with redis:// or rediss://");
  for (const char* text :
       {"redis://:hunt%zzer2@host", "redis://:hunt/er2@host", "redis://:hunter2@", "redis://:hunter2@:x", "redis://:er2#hunt@host",
        "redis://me:er2#hunt@host/3", "redis://me:h@er2#hunt@host", "redis://me:er2?hunt@host"}) {
    CAPTURE(text);
    REQUIRE_FALSE(parse_url(text, with).has_value());
    CHECK(parse_url(text, with).error().find("er2") == std::string::npos);
  }
  for (const char* text : {"redis://:hunt/er2@host", "redis://:hunt#er2@host", "redis://me:h@er2#hunt@host"})
    CHECK(parse_url(text, with).error() == "has a / ? or # in its user or password: write them as %2F, %3F and %23");
  CHECK(parse_url("redis://:hunt%23er2@host", with)->password.reveal() == "hunt#er2");
  CHECK(parse_url("redis://me:p@host/0?x=a@b", with)->target == "/0?x=a@b");
  for (const char* text : {"http://me:er2#hunt@host", "https://me:er2/hunt@host/"}) {
    CAPTURE(text);
    CHECK(parse_url(text).error().starts_with("has a user in it"));
    CHECK(parse_url(text).error().find("er2") == std::string::npos);
  }
  CHECK(parse_url("http://host:80/x@y#a@b")->target == "/x@y");
}

TEST_CASE("endpoints_are_taken_apart") {
  for (const char* text : {"db.internal:5432", "[::1]:80", "unix:/run/x.sock"}) CHECK(to_string(*parse_endpoint(text)) == text);
  CHECK(parse_endpoint("db.internal").error() == "has no port");
  CHECK(parse_endpoint(":80").error() == "has no host");
  CHECK(parse_endpoint("unix:x.sock").error() == "has no absolute path of a socket");
  CHECK(parse_endpoint("unix:/" + std::string(200, 'x')).error() == "has a socket's path of 201 bytes: 107 are possible");
}
