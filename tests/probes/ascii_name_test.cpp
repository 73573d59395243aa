#include "probes/net/ascii_name.hpp"

#include <doctest/doctest.h>

using namespace flipback::net;

TEST_CASE("a_name_beyond_ascii_has_the_form_that_name_servers_know") {
  CHECK(ascii_name("büro.example") == "xn--bro-hoa.example");
  CHECK(ascii_name("api.müller-söhne.de") == "api.xn--mller-shne-kcb9d.de");
  CHECK(ascii_name("bücher.straßenbau.example") == "xn--bcher-kva.xn--straenbau-j1a.example");
  CHECK(ascii_name("пример.рф") == "xn--e1afmkfd.xn--p1ai");
  CHECK(ascii_name("παράδειγμα.ελ") == "xn--hxajbheg2az3al.xn--qxam");
  CHECK(ascii_name("例え.テスト") == "xn--r8jz45g.xn--zckzah");
  CHECK(ascii_name("中国.中国") == "xn--fiqs8s.xn--fiqs8s");
  CHECK(ascii_name("실례.테스트") == "xn--9n2bp8q.xn--9t4b11yi5a");
  CHECK(ascii_name("Api.élan.example") == "api.xn--lan-9la.example");
  CHECK(ascii_name("a.b.ü") == "a.b.xn--tda");
  // These need tables: a capital, a combining mark, a sign.
  for (const char* text : {"Büro.Übung", "bu\u0308ro.example", "☃.example", "b\xff.example", "geheim@büro"}) {
    CAPTURE(text);
    CHECK(ascii_name(text).empty());
    CHECK(not_ascii(text) == "has a host with letters beyond ASCII: expected its ASCII form, which begins with xn-- (idn2 prints it)");
  }
  CHECK(not_ascii("büro.example") == "has a host with letters beyond ASCII: expected its ASCII form, xn--bro-hoa.example");
  CHECK_FALSE(not_ascii("xn--bro-hoa.example"));
}
