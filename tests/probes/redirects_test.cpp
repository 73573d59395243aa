#include "probes/net/redirects.hpp"

#include <doctest/doctest.h>

using namespace flipback;

namespace {

/// "http://host:port/target", or the reason and the sentence of a refusal.
std::string from(std::string_view base, std::string_view location) {
  const auto asked = net::parse_url(base);
  REQUIRE(asked);
  const auto to = net::redirected(*asked, location);
  if (!to) return std::string(name_of(to.error().why)) + ": " + to.error().says;
  return std::string(to->tls ? "https" : "http") + "://" + net::to_string(to->to) + to->target;
}

}  // namespace

TEST_CASE("references_resolve_as_in_rfc_3986_section_5_4") {
  const std::string_view base = "http://a/b/c/d;p?q";
  const auto leads_to = [&](std::string_view location) { return from(base, location); };
  CHECK(leads_to("http://g/x") == "http://g:80/x");
  CHECK(leads_to("g") == "http://a:80/b/c/g");
  CHECK(leads_to("./g") == "http://a:80/b/c/g");
  CHECK(leads_to("g/") == "http://a:80/b/c/g/");
  CHECK(leads_to("/g") == "http://a:80/g");
  CHECK(leads_to("//g") == "http://g:80/");
  CHECK(leads_to("?y") == "http://a:80/b/c/d;p?y");
  CHECK(leads_to("g?y") == "http://a:80/b/c/g?y");
  CHECK(leads_to("#s") == "http://a:80/b/c/d;p?q");
  CHECK(leads_to("g#s") == "http://a:80/b/c/g");
  CHECK(leads_to("") == "http://a:80/b/c/d;p?q");
  CHECK(leads_to(".") == "http://a:80/b/c/");
  CHECK(leads_to("..") == "http://a:80/b/");
  CHECK(leads_to("../g") == "http://a:80/b/g");
  CHECK(leads_to("../..") == "http://a:80/");
  CHECK(leads_to("../../../../g") == "http://a:80/g");
  CHECK(leads_to("/./g") == "http://a:80/g");
  CHECK(leads_to("/../g") == "http://a:80/g");
  CHECK(leads_to("g.") == "http://a:80/b/c/g.");
  CHECK(leads_to("./g/.") == "http://a:80/b/c/g/");
  CHECK(leads_to("g/../h") == "http://a:80/b/c/h");
  CHECK(leads_to("g?y/../x") == "http://a:80/b/c/g?y/../x");
  CHECK(leads_to("g;x=1/../y") == "http://a:80/b/c/y");
}

TEST_CASE("a_redirect_keeps_the_scheme_or_makes_it_safer") {
  CHECK(from("https://a/b", "//g/x") == "https://g:443/x");
  CHECK(from("http://a/b", "HTTPS://a/b") == "https://a:443/b");
  CHECK(from("https://a/b", "http://a/b?token=hunter2") ==
        "bad status: redirects to http://a/b, and from https to http it is not followed");
}

TEST_CASE("what_leads_nowhere_is_a_bad_answer") {
  CHECK(from("http://a/b", "ftp://g/x") == "bad answer: redirects to ftp://g/x, which does not begin with http:// or https://");
  CHECK(from("http://a/b", "http+unix:///run/docker.sock:/x") ==
        "bad answer: redirects to http+unix:///run/docker.sock:/x, which does not begin with http:// or https://");
  CHECK(from("http://a/b", "/x y") == "bad answer: redirects to /x y, which has a space or a control character in it");
  CHECK(from("http://a/b", "http://") == "bad answer: redirects to http://, which has no host");
  CHECK(from("http://a/b", "/x\r\nEvil: 1").starts_with("bad answer: "));
}

TEST_CASE("a_place_is_scheme_host_and_port") {
  const auto same = [](std::string_view one, std::string_view other) {
    return net::same_place(*net::parse_url(one), *net::parse_url(other));
  };
  CHECK(same("http://a/x", "http://A:80/y"));
  CHECK_FALSE(same("http://a/x", "https://a/x"));
  CHECK_FALSE(same("http://a/x", "http://a:81/x"));
  CHECK_FALSE(same("http://a/x", "http://b/x"));
  CHECK_FALSE(same("http+unix:///run/a.sock:/x", "http+unix:///run/b.sock:/x"));
}
