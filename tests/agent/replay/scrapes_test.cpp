#include "agent/replay/scrapes.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <vector>

using namespace flipback;
using namespace flipback::replay;

namespace {

constexpr std::int64_t begin = 1'795'762'000'000;

/// "5s 0: a=1 b=2; ", a scrape's time since the begin, its target, its samples; or the error's sentence.
std::string read(const std::vector<std::string>& texts) {
  scrapes all([](std::string_view name) { return name != "unwanted"; });
  for (const std::string& text : texts) {
    if (const auto taken = all.read(text); !taken) return taken.error();
  }
  all.sort();
  std::string made;
  all.each([&](const scrapes::scrape& one) {
    made += fmt::format("{} {}:", format_duration(std::chrono::milliseconds(one.at - begin)), one.target);
    for (const exposition::item& i : one.items) made += fmt::format(" {}{}={}", i.name, i.labels.empty() ? "" : i.labels[0].value, i.value);
    made += "; ";
  });
  return made;
}

/// A text of lines such as "a{x=\"1\"} 5 @10", ten seconds after the begin.
std::string text(std::string lines) {
  for (std::size_t at = lines.find('@'); at != std::string::npos; at = lines.find('@')) {
    const std::size_t end = lines.find('\n', at);
    lines.replace(at, end - at, fmt::format("{:.3f}", static_cast<double>(begin) / 1000 + std::stod(lines.substr(at + 1, end - at))));
  }
  return lines + "# EOF\n";
}

}  // namespace

TEST_CASE("samples_series_by_series_become_scrapes_in_the_order_of_time") {
  CHECK(read({text("a 1 @0\na 2 @5\na 3 @10\nb 7 @5\nb 8 @10\n")}) == "0s 0: a=1; 5s 0: a=2 b=7; 10s 0: a=3 b=8; ");
  CHECK(read({text("a 3 @10\na 1 @0\nb 1 @10\na 2 @5\n")}) == "0s 0: a=1; 5s 0: a=2; 10s 0: a=3 b=1; ");
  CHECK(read({text("a 2 @5\n"), text("a 1 @0\n")}) == "0s 0: a=1; 5s 0: a=2; ");
}

TEST_CASE("each_target_has_its_own_scrapes") {
  const std::string both = text("a{job=\"x\",instance=\"1\"} 1 @0\na{instance=\"2\",job=\"x\"} 2 @0\nb{instance=\"1\",job=\"x\"} 3 @0\n");
  CHECK(read({both}) == "0s 0: a1=1 b1=3; 0s 1: a2=2; ");
}

TEST_CASE("a_series_is_the_same_whichever_order_its_labels_have") {
  CHECK(read({text("a{x=\"1\",y=\"2\"} 1 @0\n"), text("a{y=\"2\",x=\"1\"} 1 @0\na{y=\"2\",x=\"1\"} 2 @5\n")}) ==
        "0s 0: a1=1; 5s 0: a1=2; ");
}

TEST_CASE("a_stale_marker_is_a_series_that_is_not_there") {
  CHECK(read({text("a 1 @0\na NaN @5\na 3 @10\nb 1 @0\nb 2 @5\n")}) == "0s 0: a=1 b=1; 5s 0: b=2; 10s 0: a=3; ");
}

TEST_CASE("a_scrape_that_failed_is_none") {
  CHECK(read({text("a 1 @0\na NaN @5\nup 1 @0\nup 0 @5\nup 1 @10\na 2 @10\n")}) == "0s 0: a=1 up=1; 10s 0: a=2 up=1; ");
}

TEST_CASE("targets_without_anything_wanted_are_passed_over") {
  CHECK(read({text("a{job=\"x\"} 1 @0\nup{job=\"y\"} 1 @0\nprocess_start_time_seconds{job=\"y\"} 1 @0\nunwanted{job=\"y\"} 1 @0\n")}) ==
        "0s 0: ax=1; ");
}

TEST_CASE("both_formats_have_their_own_timestamps") {
  CHECK(read({fmt::format("a 1 {}\n", begin + 1500)}) == "1.5s 0: a=1; ");
  CHECK(read({fmt::format("{{__name__=\"a\"}} 1 {}\n", begin + 1500), text("a 2 @2\n")}) == "1.5s 0: a=1; 2s 0: a=2; ");
}

TEST_CASE("what_can_not_be_read_is_said_with_its_line") {
  CHECK(read({"# TYPE a gauge\n\na 1\n"}) ==
        "line 3: the sample has no timestamp, expected each to have one, as promtool tsdb dump writes them");
  CHECK(read({"a 1 1795762000\n"})
            .starts_with("line 1: the timestamp is 1795762 s after 1970, expected a time from 2000 to 2200: OpenMetrics"));
  CHECK(read({"a 1 1795762000000\n# EOF\n"}).starts_with("line 1: the timestamp is 1795762000000 s after 1970"));
  CHECK(read({"a 1 NaN\n"}).starts_with("line 1: the timestamp is nan s"));
  CHECK(read({"a 1 -1e300\n"}).starts_with("line 1: the timestamp is -1e+297 s"));
  CHECK(read({"a 1 1795762000000\nb x\n"}) == "line 2, column 3: found x, expected a value");
  CHECK(read({"# nothing\n"}) == "holds no samples");
}

TEST_CASE("the_step_is_the_usual_distance_of_the_slowest_target") {
  const auto step = [](const std::string& lines) {
    scrapes all([](std::string_view) { return true; });
    REQUIRE(all.read(text(lines)));
    all.sort();
    return all.step();
  };
  CHECK_FALSE(step("a 1 @0\n").has_value());
  CHECK(step("a 1 @0\na 1 @5\na 1 @10\na 1 @60\na 1 @65\n") == std::chrono::seconds(5));
  CHECK(step("a{job=\"x\"} 1 @0\na{job=\"x\"} 1 @5\na{job=\"y\"} 1 @1\na{job=\"y\"} 1 @31\n") == std::chrono::seconds(30));
}
