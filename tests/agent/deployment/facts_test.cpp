#include "agent/deployment/facts.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>

using namespace flipback;
using namespace flipback::deployment;
using namespace std::chrono_literals;

namespace {

const terms names = [] {
  terms made;
  made.slots = {"blue", "green"};
  return made;
}();

moment at(duration monotonic, duration wall) {
  return {instant{} + monotonic, wall_time{} + std::chrono::duration_cast<wall_time::duration>(wall)};
}

constexpr duration year_2026 = 24h * 365 * 56;
const clocks then{"boot one", at(100h, year_2026)};

/// Ten minutes later, or as much as is said, by clocks of the same boot.
clocks later(duration by = 10min) {
  return {then.boot_id, at(100h + by, year_2026 + by)};
}
/// The machine has been booted since, and its monotonic clock began anew; the wall's clock says so much more than then.
clocks after_boot(duration by) {
  return {"boot two", at(2min, year_2026 + by)};
}

moment before_then(duration by) {
  return {then.now.at - by, then.now.wall - std::chrono::duration_cast<wall_time::duration>(by)};
}
moment after_then(duration by) {
  return before_then(-by);
}

state all_there_is() {
  state s;
  epoch e;
  e.number = 7;
  e.is = epoch::kind::switched;
  e.began = before_then(5min);
  e.live = {1, "v2 \xff"};
  e.before = placed{0, "v1"};
  e.back = way_back{{0, "v1"}, before_then(5min + 1s), "was ill"};
  e.returned = true;
  s.track.now = e;
  s.track.departures = {{{0, "v1"}, before_then(5min), ""}, {{1, "v0"}, before_then(3h), "rolled back"}};
  s.held = hold{"anna", "line one\nline two \x1b[31m", before_then(1min), after_then(29min)};
  s.latched = latch{7, {1, "v2"}, "error-rate", before_then(2min), "tried at 14:03, undone: …"};
  s.failures = {{{1, "v1.9"}, before_then(20h)}};
  s.in_doubt = {
      {"error-rate"},
      {"latency"},
      {{"error-burn", {before_then(20s), {}, {}, {}}}, {"error-rate", {before_then(1s), before_then(3min).at, 7s, "error-rate: \xff"}}},
      before_then(4min),
      failed_attempts{3, before_then(30s), "error-rate", "it ended with status 7", {}}};
  s.track.is = agreement::mixed;
  s.track.live_was_well = false;
  s.track.changes_in_place = {before_then(9min), before_then(5min)};
  return s;
}

found_texts texts_of(const state& s, const clocks& now = then) {
  return {text_of(fact::epoch, s, names, now), text_of(fact::hold, s, names, now), text_of(fact::latch, s, names, now),
          text_of(fact::failures, s, names, now)};
}

/// The texts with one change in one of them.
std::string with_change(const std::optional<std::string>& text, std::string_view was, std::string_view becomes) {
  std::string made = text.value();
  const std::size_t found = made.find(was);
  REQUIRE_MESSAGE(found != std::string::npos, made);
  return made.replace(found, was.size(), becomes);
}

}  // namespace

TEST_CASE("what_was_kept_reads_back_the_same_within_one_boot") {
  state s = all_there_is();
  s.unreadable = {"failures"};
  const started back = recall(texts_of(s), names, later());
  REQUIRE(back.unreadable.size() == 1);  // what could not be read at an earlier start stays in doubt
  CHECK(back.unreadable.front().first == "failures");
  REQUIRE(back.recalled);
  CHECK(back.recalled->mixed);
  CHECK_FALSE(back.recalled->live_was_well);
  CHECK(std::ranges::equal(back.recalled->changes_in_place, s.track.changes_in_place));
  CHECK(back.in_doubt == s.in_doubt);
  CHECK(back.recalled->then == *s.track.now);
  CHECK(back.recalled->seen == then.now);
  CHECK_FALSE(back.recalled->other_boot);
  CHECK_FALSE(back.recalled->clock_is_behind);
  CHECK(back.departures == s.track.departures);
  CHECK(back.held == s.held);
  CHECK(back.latched == s.latched);
  CHECK(back.failures == s.failures);
}

TEST_CASE("what_was_so_until_the_end_may_have_gone_on_while_nobody_watched") {
  state s = all_there_is();
  s.in_doubt.mark.reset();
  s.both_failed = then.now.at - 50s;
  const started back = recall(texts_of(s), names, later());
  REQUIRE(back.in_doubt.mark);
  CHECK(back.in_doubt.mark->at == later().now.at);
}

TEST_CASE("an_epoch_without_doubts_was_written_by_another_version_and_is_doubtful") {
  const state s = all_there_is();
  found_texts texts = texts_of(s);
  texts.epoch = with_change(*texts.epoch, R"("doubts")", R"("other")");
  const started back = recall(texts, names, later());
  REQUIRE(back.recalled);
  REQUIRE(back.unreadable.size() == 1);
  CHECK(back.unreadable.front().first == "doubts");
}

TEST_CASE("every_kind_of_epoch_reads_back_the_same") {
  for (const epoch::kind kind :
       {epoch::kind::baseline, epoch::kind::switched, epoch::kind::in_place, epoch::kind::rolled_back, epoch::kind::opened}) {
    state s;
    s.track.now = epoch{1, kind, then.now, {0, ""}, {}, {}, false, true};
    const started back = recall(texts_of(s), names, later());
    REQUIRE(back.recalled);
    CHECK(back.recalled->then == *s.track.now);
  }
}

TEST_CASE("what_there_is_not_is_forgotten_and_is_none_when_it_is_read") {
  const state nothing;
  for (const fact f : all_facts) CHECK_FALSE(text_of(f, nothing, names, then));
  const started back = recall(texts_of(nothing), names, later());
  CHECK_FALSE(back.recalled);
  CHECK_FALSE(back.held);
  CHECK_FALSE(back.latched);
  CHECK(back.failures.empty());
  CHECK(back.unreadable.empty());
}

TEST_CASE("within_one_boot_the_wall_clock_measures_nothing") {
  clocks now = later();
  now.now.wall -= std::chrono::hours(5);
  const started back = recall(texts_of(all_there_is()), names, now);
  REQUIRE(back.recalled);
  CHECK(back.recalled->then.began.at == then.now.at - 5min);
  CHECK_FALSE(back.recalled->clock_is_behind);
  CHECK(back.held->until.at == then.now.at + 29min);
}

TEST_CASE("after_a_boot_every_time_is_placed_on_the_new_clocks_by_the_walls") {
  const clocks now = after_boot(1h);
  const started back = recall(texts_of(all_there_is()), names, now);
  const auto ago = [&](duration by) { return now.now.at - (1h + by); };
  REQUIRE(back.recalled);
  CHECK(back.recalled->other_boot);
  CHECK_FALSE(back.in_doubt.troubled.at("error-rate").since);  // nobody watched for longer than any gap
  CHECK_FALSE(back.recalled->clock_is_behind);
  CHECK(back.recalled->seen.at == ago(0s));
  CHECK(back.recalled->then.began.at == ago(5min));
  CHECK(back.recalled->then.began.wall == before_then(5min).wall);
  CHECK(back.recalled->then.back->left.at == ago(5min + 1s));
  CHECK(back.departures[1].at.at == ago(3h));
  CHECK(back.held->since.at == ago(1min));
  CHECK(back.held->until.at == ago(-29min));
  CHECK(back.latched->shut.at == ago(2min));
  CHECK(back.failures[0].at.at == ago(20h));
}

TEST_CASE("a_clock_that_was_set_right_before_a_boot_does_not_move_what_came_before_that") {
  // It was a hundred hours ahead until shortly before the end; the monotonic clock tells how long ago things were all the same.
  const auto ahead = [](moment m) { return moment{m.at, m.wall + 100h}; };
  state s = all_there_is();
  s.track.now->began = ahead(s.track.now->began);
  s.in_doubt.failed->newest = ahead(s.in_doubt.failed->newest);
  s.held->until = ahead(s.held->until);
  s.latched->shut = ahead(s.latched->shut);
  s.failures[0].at = ahead(s.failures[0].at);
  const clocks now = after_boot(1h);
  const started back = recall(texts_of(s), names, now);
  CHECK(back.recalled->then.began.at == now.now.at - 1h - 5min);
  CHECK(back.in_doubt.failed->newest.at == now.now.at - 1h - 30s);
  CHECK(back.held->until.at == now.now.at - 1h + 29min);
  CHECK(back.latched->shut.at == now.now.at - 1h - 2min);
  CHECK(back.failures[0].at.at == now.now.at - 1h - 20h);
}

TEST_CASE("a_hold_that_was_kept_while_the_clock_was_behind_lasts_as_long_as_was_said") {
  // The hold and the latch were kept a minute before the end, by a clock that was a hundred hours behind and was then set right.
  const clocks behind{then.boot_id, {then.now.at - 1min, then.now.wall - 100h}};
  const state s = all_there_is();
  found_texts found = texts_of(s);
  found.hold = text_of(fact::hold, s, names, behind);
  found.latch = text_of(fact::latch, s, names, behind);
  const clocks now = after_boot(10min);
  const started back = recall(found, names, now);
  CHECK(back.held->until.at == now.now.at - 10min + 29min);
  CHECK(back.latched->shut.at == now.now.at - 10min - 2min);
}

TEST_CASE("a_clock_that_went_back_over_a_boot_puts_nothing_into_the_future") {
  const clocks now = after_boot(-1h);
  const started back = recall(texts_of(all_there_is()), names, now);
  REQUIRE(back.recalled);
  CHECK(back.recalled->clock_is_behind);
  CHECK(back.recalled->seen.at == now.now.at);
  CHECK(back.recalled->then.began.at == now.now.at - 5min);
  CHECK(back.latched->shut.at == now.now.at - 2min);
}

TEST_CASE("a_clock_that_went_back_over_a_boot_keeps_the_whole_hold") {
  const clocks now = after_boot(-1h);
  const started back = recall(texts_of(all_there_is()), names, now);
  REQUIRE(back.held);
  CHECK(back.held->until.at == now.now.at + 30min);
  CHECK(back.held->until.wall == now.now.wall + 30min);
}

TEST_CASE("a_fact_that_cannot_be_read_is_said_and_never_none") {
  const state s = all_there_is();
  struct row {
    const char* name;
    std::function<void(found_texts&)> damage;
    std::string_view fact;
    std::string_view says;
  };
  const std::optional<std::string> epoch_text = text_of(fact::epoch, s, names, then);
  const row rows[] = {
      {"the store could not read it", [](found_texts& t) { t.hold = std::unexpected("disk I/O error"); }, "hold", "disk I/O error"},
      {"no JSON", [](found_texts& t) { t.hold = "{"; }, "hold", "no JSON"},
      {"another kind", [](found_texts& t) { t.latch = "[]"; }, "latch", "a list"},
      {"a key is missing", [](found_texts& t) { t.failures = R"({"failures":[]})"; }, "failures", "seen: is missing"},
      {"a slot that is none of ours", [&](found_texts& t) { t.epoch = with_change(epoch_text, "green", "teal"); }, "epoch", "teal"},
      {"a kind of a newer version", [&](found_texts& t) { t.epoch = with_change(epoch_text, "switched", "beamed"); }, "epoch", "beamed"},
      {"a time that no clock has shown",
       [&](found_texts& t) { t.epoch = with_change(epoch_text, R"("wall":1)", R"("wall":-9223372036854775808,"x":1)"); }, "epoch",
       "no time that a clock has shown"},
      {"a time at the end of the clock",
       [&](found_texts& t) { t.epoch = with_change(epoch_text, R"("monotonic":3)", R"("monotonic":9223372036854775807,"x":3)"); }, "epoch",
       "no time that a clock has shown"},
  };
  for (const row& r : rows) {
    CAPTURE(r.name);
    found_texts found = texts_of(s);
    r.damage(found);
    const started back = recall(found, names, after_boot(1h));
    REQUIRE(back.unreadable.size() == 1);
    CHECK(back.unreadable[0].first == r.fact);
    CHECK_MESSAGE(back.unreadable[0].second.find(r.says) != std::string::npos, back.unreadable[0].second);
    // The others are read all the same.
    CHECK(back.recalled.has_value() == (r.fact != "epoch"));
    CHECK(back.held.has_value() == (r.fact != "hold"));
    CHECK(back.latched.has_value() == (r.fact != "latch"));
    CHECK(back.failures.empty() == (r.fact == "failures"));
  }
}
