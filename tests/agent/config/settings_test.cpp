#include "agent/config/toml.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace flipback;
using namespace std::chrono_literals;

namespace {

/// One table, read by `read`; gives what it reported.
template <typename Read>
std::vector<std::string> reading(std::string_view text, Read read) {
  settings::diagnostics problems;
  const settings::node root = config::parse_toml(text, "t", problems);
  settings::section from(root, "", problems);
  read(from);
  std::vector<std::string> says;
  for (const settings::problem& p : problems.sorted()) says.push_back(settings::to_string(p));
  return says;
}
const std::vector<std::string> nothing;

}  // namespace

TEST_CASE("an_absent_key_gives_the_fallback_and_no_problem") {
  CHECK(reading("", [](settings::section& from) {
          CHECK(from.text("a", "x") == "x");
          CHECK(!from.text("a"));
          CHECK(from.integer("a", 3, 1, 5) == 3);
          CHECK(from.boolean("a", true));
          CHECK(from.span("a", 5s, 1s, 9s) == 5s);
          CHECK(from.size("a", 7, 0, 9) == 7);
          CHECK(from.ratio("a", 0.5) == 0.5);
          CHECK(from.texts("a").empty());
          CHECK(from.choice("a", "x", {"y"}) == "x");
          CHECK(!from.hidden("a"));
          CHECK(from.items("a").empty());
          CHECK(from.inners("a").empty());
        }) == nothing);
}

TEST_CASE("a_wrong_value_gives_the_fallback_and_a_problem") {
  CHECK(reading("a = \"7 apples\"", [](settings::section& from) { CHECK(from.span("a", 5s, 1s, 9s) == 5s); }).size() == 1);
  CHECK(reading("a = 9", [](settings::section& from) { CHECK(from.integer("a", 3, 1, 5) == 3); }).size() == 1);
  CHECK(reading("a = 1.5", [](settings::section& from) { CHECK(from.ratio("a", 0.5) == 0.5); }).size() == 1);
  CHECK(reading("a = nan", [](settings::section& from) { CHECK(!from.number("a")); }).size() == 1);
}

TEST_CASE("values_with_units_are_read") {
  CHECK(reading("a = \"1m30s\"\nb = \"2KiB\"\nc = 512\nd = \"5%\"\ne = 0.05\nf = 1", [](settings::section& from) {
          CHECK(from.span("a", 1s, 1s, 1h) == 90s);
          CHECK(from.size("b", 0, 0, 4096) == 2048);
          CHECK(from.size("c", 0, 0, 4096) == 512);
          CHECK(from.ratio("d", 0) == doctest::Approx(0.05));
          CHECK(from.ratio("e", 0) == doctest::Approx(0.05));
          CHECK(from.ratio("f", 0) == 1);
          from.finish();
        }) == nothing);
}

TEST_CASE("an_open_range_names_only_its_lower_end") {
  CHECK(reading("a = \"1s\"", [](settings::section& from) { from.span("a", 2s, 2s, duration::max()); }) ==
        std::vector<std::string>{"t:1:5: a: found \"1s\", expected at least 2s"});
  CHECK(reading("a = 0", [](settings::section& from) { from.integer("a", 1, std::numeric_limits<std::int64_t>::max()); }) ==
        std::vector<std::string>{"t:1:5: a: found 0, expected an integer of at least 1"});
}

TEST_CASE("unknown_keys_come_in_the_files_order_with_the_nearest_known") {
  CHECK(reading("zebra = 1\nhots = 2\n",
                [](settings::section& from) {
                  from.text("host");
                  from.finish();
                }) == std::vector<std::string>{"t:1:1: zebra: is unknown here; expected one of host",
                                               "t:2:1: hots: is unknown here; did you mean \"host\"?"});
}

TEST_CASE("the_nearest_name_is_one_that_can_be_meant") {
  const std::vector<std::string> names{"every", "timeout", "up", "error_rate", "p95"};
  struct row {
    std::string_view word;
    std::string_view meant;
  };
  constexpr row rows[] = {{"evrey", "every"},
                          {"EVERY", "every"},
                          {"error-rate", "error_rate"},
                          {"timeot", "timeout"},
                          {"error_raet", "error_rate"},
                          {"zebra", ""},
                          {"x", ""},
                          {"", ""},
                          {"p99", "p95"},
                          {"memory", ""}};
  for (const row& r : rows) {
    CAPTURE(r.word);
    CHECK(settings::nearest(r.word, names) == r.meant);
  }
  CHECK(settings::nearest(std::string(100000, 'e'), names).empty());
}

TEST_CASE("a_long_or_odd_value_is_shown_short_and_whole") {
  CHECK(settings::shown({std::string(200, 'x'), {}, 0}).size() < 100);
  std::string umlauts;
  for (int i = 0; i < 100; ++i) umlauts += "ä";
  CHECK(settings::shown({"x" + umlauts, {}, 0}).ends_with("ä…\""));
  CHECK(settings::shown({std::string("a\n\x1b[31m\"b\""), {}, 0}) == R"("a\n\x1b[31m\"b\"")");
  CHECK(settings::shown({std::string("redis://user:hunter2@host/0"), {}, 0}) == "\"redis://user:***@host/0\"");
  CHECK(settings::shown({std::string("redis://hunter2@host:6379/0"), {}, 0}) == "\"redis://***@host:6379/0\"");
  CHECK(settings::shown({std::string("redis://:hunter2"), {}, 0}) == "\"redis://:***\"");
  CHECK(settings::shown({std::string("http://host:80/a?token=hunter2&b=1#c"), {}, 0}) == "\"http://host:80/a?token=***&b=***#c\"");
  CHECK(settings::shown({std::string("http://[::1]:80/a?b"), {}, 0}) == "\"http://[::1]:80/a?b\"");
  CHECK(settings::shown({std::string("http://::1/a:b@c"), {}, 0}) == "\"http://:***@c\"");
  CHECK(settings::shown({std::string("bob:hun@ter2@host"), {}, 0}) == "\"bob:***@host\"");
  CHECK(settings::shown({std::string("bob@example.com: hello"), {}, 0}) == "\"bob@example.com: hello\"");
  CHECK(settings::shown({std::string("http://host/a:b@c"), {}, 0}) == "\"http://host/a:b@c\"");
  CHECK(settings::shown({std::string("http://host:80/@x"), {}, 0}) == "\"http://host:80/@x\"");
  CHECK(settings::shown({0.25, {}, 0}) == "0.25");
}

TEST_CASE("what_follows_from_a_silenced_place_is_not_said") {
  settings::diagnostics problems;
  problems.add({"t", 1, 1}, "first");
  problems.silence({"t", 1, 1});
  problems.add({"t", 1, 1}, "second");
  problems.add({"t", 1, 2}, "other");
  problems.add({"t", 1, 2}, "other");
  CHECK(problems.sorted().size() == 2);
}
