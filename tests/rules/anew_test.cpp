#include "tests/rules/story.hpp"

#include <doctest/doctest.h>

// What of the live slot counts: since a cutover that is recalled, and since both slots were asked for what fails.

using namespace flipback;
using namespace flipback::rules;
using namespace flipback::rules::story_telling;
using std::chrono::seconds;

namespace {

constexpr const char* live = "traffic.live.error_rate";
constexpr const char* anew = "traffic.live.anew.error_rate";

/// The traffic's errors, narrowed to the live slot's, and to those of its requests that began after both slots were asked.
catalogue narrowed_signals() {
  catalogue all;
  const auto add = [&](const char* name, const char* narrowed, bool of_live, const char* counted_anew) {
    all.add({name, signal_kind::ratio, unit::ratio, seconds(15), 0, name, narrowed, of_live, {}, telling::errors, counted_anew});
  };
  add("traffic.error_rate", live, false, "");
  add(live, "", true, anew);
  add(anew, "", true, "");
  return all;
}

struct live_story : story {
  explicit live_story(rule_source r) : story({std::move(r)}, narrowed_signals()) {}
  void seconds_of_live(int count, pooled all, std::optional<pooled> began_anew = {}) {
    for (int i = 0; i < count; ++i) {
      const instant from = at(now);
      advance_to(++now);
      judged.add(*judged.series_named(live), {from, at(now), all, false});
      if (began_anew) judged.add(*judged.series_named(anew), {from, at(now), *began_anew, began_anew->denominator == 0});
      take(judged.settle(at(now)));
    }
  }
};

rule_source errors_over(const char* length) {
  rule_source r = rollback_rule(fmt::format("traffic.error_rate over {} > 5%", length));
  r.partial = false;
  return r;
}

}  // namespace

TEST_CASE("whether_it_goes_on_is_said_by_requests_that_began_after_both_slots_were_asked") {
  live_story s(errors_over("60s"));
  s.judged.cutover(story::at(0));
  s.seconds_of_live(70, {50, 100});
  REQUIRE(s.judged.verdict_of(0) == verdict::breached);
  const auto goes_on = [&, mark = story::at(s.now)] { return s.judged.above_since(0, mark, story::at(s.now)); };
  s.judged.count_anew();
  s.seconds_of_live(10, {50, 100}, pooled{0, 50});
  CHECK(goes_on() == truth::unknown);  // for its last fifth, and 20 s at least
  s.seconds_of_live(15, {50, 100}, pooled{0, 50});
  CHECK(goes_on() == truth::no);
  s.seconds_of_live(20, {50, 100}, pooled{20, 100});
  CHECK(goes_on() == truth::yes);
}

TEST_CASE("what_was_counted_after_one_answer_of_both_slots_is_nothing_after_the_next") {
  live_story s(errors_over("60s"));
  s.judged.cutover(story::at(0));
  s.judged.count_anew();
  s.seconds_of_live(70, {50, 100}, pooled{50, 100});
  CHECK(s.judged.above_since(0, story::at(0), story::at(s.now)) == truth::yes);
  s.judged.count_anew();
  CHECK(s.judged.above_since(0, story::at(0), story::at(s.now)) == truth::unknown);
  s.seconds_of_live(25, {50, 100}, pooled{50, 100});
  CHECK(s.judged.above_since(0, story::at(70), story::at(s.now)) == truth::yes);
}

TEST_CASE("of_the_live_slot_what_came_before_a_cutover_was_told_counts_only_where_an_earlier_life_has_seen_it") {
  for (const bool recalled : {true, false}) {
    CAPTURE(recalled);
    live_story s(errors_over("10s"));
    s.seconds_of_live(20, {50, 100});
    s.judged.cutover(story::at(5), false, recalled);
    s.take(s.judged.settle(story::at(s.now)));
    CHECK(s.judged.verdict_of(0) == (recalled ? verdict::breached : verdict::unknown));
    s.seconds_of_live(10, {50, 100});
    CHECK(s.judged.verdict_of(0) == verdict::breached);
  }
}

TEST_CASE("of_the_live_slot_what_came_before_a_recalled_cutover_itself_does_not_count") {
  rule_source r = errors_over("60s");
  r.partial = true;
  live_story s(r);
  s.seconds_of_live(5, {100, 100});
  s.seconds_of_live(15, {0, 100});
  REQUIRE(s.judged.verdict_of(0) == verdict::breached);
  s.judged.cutover(story::at(5), false, true);
  s.take(s.judged.settle(story::at(s.now)));
  CHECK(s.judged.verdict_of(0) == verdict::ok);
}
