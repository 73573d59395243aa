// Attempts that fail and change nothing: each waits longer than the one before, and none stands in a person's way.

#include "agent/deployment/facts.hpp"
#include "agent/deployment/standing.hpp"
#include "tests/agent/deployment/story.hpp"

using namespace flipback;
using namespace flipback::deployment;
using rollback::outcome;

namespace {

/// Green is live and breached, and each attempt fails as soon as it was given leave.
struct failing : story {
  failing() {
    green_is_put_live();
    breach();
    fails_once();
  }
  /// Until an attempt begins; then it fails. How long it took to begin.
  duration fails_once() {
    const duration waited = begins();
    ends(outcome::nothing_changed, false);
    return waited;
  }
  duration begins(duration within = 20min) {
    const instant from = now.at;
    forget();
    take(judged{});
    while (!begun() && now.at - from < within) run(1s);
    REQUIRE(begun());
    const duration waited = now.at - from;
    take(prepared{id()});
    REQUIRE(left());
    return waited;
  }
  [[nodiscard]] severity loudness(const std::string& kind) const {
    for (const action& a : did)
      if (const auto* e = std::get_if<say>(&a); e && e->what.kind == kind) return e->what.severity;
    FAIL("it was not said");
    return severity::info;
  }
  [[nodiscard]] unsigned counted() const { return s.in_doubt.failed ? s.in_doubt.failed->count : 0; }
};

}  // namespace

TEST_CASE("each_attempt_that_fails_waits_twice_as_long_up_to_five_minutes") {
  failing w;
  w.by.window = 24h;
  const std::vector<duration> waits{5s, 10s, 20s, 40s, 80s, 160s, 300s, 300s};
  for (const duration wait : waits) {
    const duration waited = w.fails_once();
    CHECK(waited >= wait);
    CHECK(waited <= wait + 1s);
  }
  CHECK(w.counted() == 9);
}

TEST_CASE("the_first_that_fails_is_critical_and_each_says_its_number_and_when_the_next_is") {
  failing w;
  CHECK(w.loudness("rollback.decided") == severity::critical);
  CHECK(w.loudness("rollback.closed") == severity::critical);
  CHECK(w.times_said("attempt 1 of error-rate failed at ") == 1);
  w.fails_once();
  CHECK(w.loudness("rollback.decided") == severity::warning);
  CHECK(w.loudness("rollback.closed") == severity::warning);
  CHECK(w.times_said("attempt 2: rolling back to blue with v1") == 1);
  CHECK(w.times_said("attempt 2 of error-rate failed at ") == 1);
  CHECK(w.times_said(" UTC, next at ") == 1);
  const standing stood = stands(w.s, w.by, w.now, w.names);
  CHECK(stood.failed_says.starts_with("attempt 2 of error-rate failed at "));
  CHECK(stood.next_attempt_in == 10s);
  w.passes(10s);
  CHECK(stands(w.s, w.by, w.now, w.names).failed_says.ends_with("next once nothing is in the way"));
}

TEST_CASE("how_often_it_has_failed_is_kept_before_its_journal_is_closed") {
  failing w;
  w.begins();
  w.forget();
  w.ends(outcome::nothing_changed, false);
  CHECK(w.keeps(fact::epoch));
}

TEST_CASE("another_rule_does_not_try_what_one_has_just_failed_at") {
  failing w;
  w.fails_once();
  w.breach("latency");
  w.forget();
  w.run(9s);
  CHECK_FALSE(w.begun());
}

TEST_CASE("a_second_rule_says_once_which_failed_attempt_it_waits_for_and_until_when") {
  failing w;
  w.fails_once();
  w.breach("latency");
  w.forget();
  w.run(9s);
  CHECK(w.times_said("latency: attempt 2 of error-rate failed at ") == 1);
  CHECK(w.times_said(" UTC, next at ") == 1);
  CHECK(w.times_said("error-rate: attempt") == 0);
}

TEST_CASE("what_ends_the_waiting") {
  struct row {
    std::string name;
    std::function<void(failing&)> happens;
  };
  for (const row& r : {row{"the condition is true anew",
                           [](failing& w) {
                             w.rules.clear();
                             w.run(1s);
                             w.breach();
                           }},
                       row{"a file of nginx's is another",
                           [](failing& w) {
                             sighting seen = w.sight();
                             seen.configuration_changed = true;
                             w.take(looked{seen});
                           }},
                       row{"a person opens the latch",
                           [](failing& w) {
                             w.s.latched = latch{};
                             w.s.latched->epoch = w.s.track.now->number;
                             w.types(verb::kind::unlatch, true);
                           }},
                       row{"a person frees a hold", [](failing& w) {
                             w.holds(1h);
                             w.types(verb::kind::unhold);
                           }}}) {
    CAPTURE(r.name);
    failing w;
    w.fails_once();
    w.fails_once();
    w.run(5s);  // of twenty
    REQUIRE(w.counted() == 3);
    w.forget();
    r.happens(w);
    CHECK(w.counted() == 0);
    w.run(3s);
    CHECK(w.begun());
  }
}

TEST_CASE("what_the_attempt_itself_did_to_a_file_is_no_mending") {
  failing w;
  w.run(4s);
  w.forget();
  w.run(2s);
  REQUIRE(w.begun());
  w.take(prepared{w.id()});
  REQUIRE(w.left());
  w.answers = false;  // Ready does not look any more
  w.ends(outcome::nothing_changed, false);
  sighting seen = w.sight();
  seen.configuration_changed = true;
  w.take(looked{seen});
  CHECK(w.counted() == 2);
}

TEST_CASE("a_person's_rollback_waits_for_no_attempt_before_it_and_counts_as_none") {
  failing w;
  w.fails_once();
  w.forget();
  CHECK_FALSE(w.types(verb::kind::rollback));
  CHECK(w.begun());
  w.take(prepared{w.id()});
  w.ends(outcome::nothing_changed, false);
  CHECK(w.counted() == 0);
}

TEST_CASE("an_attempt_that_was_stopped_has_not_failed") {
  failing w;
  w.fails_once();
  w.run(9s);
  w.forget();
  w.run(2s);
  REQUIRE(w.begun());
  w.take(pausing{"the configuration is read again"});
  w.take(prepared{w.id()});
  CHECK_FALSE(w.left());
  w.ends(outcome::nothing_changed, false);
  CHECK(w.counted() == 2);
}

TEST_CASE("a_new_epoch_counts_anew") {
  failing w;
  w.flip(blue);
  CHECK(w.counted() == 0);
}

TEST_CASE("a_restart_goes_on_counting") {
  failing w;
  w.fails_once();
  w.fails_once();  // the next one is to wait 20 s
  started with;
  with.recalled = what_would_be_recalled(w.s, w.now);
  with.in_doubt = doubts_to_keep(w.s, w.now);
  with.in_doubt.failed->condition.reset();  // it is not stored
  w.s = {};
  w.rules.clear();
  w.passes(1s);
  w.take(with);
  w.look(3);
  w.breach();
  w.forget();
  w.run(14s);
  CHECK_FALSE(w.begun());
  w.run(4s);
  CHECK(w.begun());
  w.take(prepared{w.id()});
  w.ends(outcome::nothing_changed, false);
  CHECK(w.counted() == 4);
}
