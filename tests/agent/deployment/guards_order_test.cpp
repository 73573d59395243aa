// Modes, ages of answers, the window, and what a person may order or approve of.

#include "agent/deployment/guards.hpp"
#include "tests/agent/deployment/free_way.hpp"

#include <functional>
#include <string>
#include <vector>

using namespace flipback;
using namespace flipback::deployment;

TEST_CASE("of_two_modes_the_more_careful_holds") {
  using config::mode;
  for (const mode global : {mode::observe, mode::ask, mode::act})
    for (const mode own : {mode::observe, mode::ask, mode::act}) {
      free_way w;
      w.by.mode = global;
      w.rule().mode = own;
      const mode holds = std::min(global, own);
      CHECK(w.weighs().is == (holds == mode::observe ? stance::tells : holds == mode::ask ? stance::asks : stance::act));
    }
}

TEST_CASE("answers_that_are_too_old_are_asked_for_again") {
  free_way w;
  w.s.stable->asked -= 3s;
  CHECK(w.weighs().missing.stable);
  free_way b;
  b.s.blames["error-rate"].asked -= 3s;
  CHECK(b.weighs().missing.blame);
  free_way r;
  r.s.ready->looked -= 61s;
  CHECK(r.weighs().missing.ready);
  // What said no is asked again every 5 s.
  free_way no;
  no.finds(blame::kind::both_fail);
  CHECK_FALSE(no.weighs().missing.blame);
  no.passes(5s);
  CHECK(no.weighs().missing.blame);
  free_way sick;
  sick.s.stable->well = false;
  CHECK_FALSE(sick.weighs().missing.stable);
  sick.passes(5s);
  CHECK(sick.weighs().missing.stable);
  free_way lacking;
  lacking.s.ready->lacks = {{true, "x"}};
  CHECK_FALSE(lacking.weighs().missing.ready);
  lacking.passes(5s);
  CHECK(lacking.weighs().missing.ready);
}

TEST_CASE("a_person_who_approves_decides_what_a_person_decides_and_the_rest_stands") {
  using change = std::function<void(free_way&)>;
  for (const change& asks :
       std::vector<change>{[](free_way& w) { w.by.mode = config::mode::ask; }, [](free_way& w) { w.s.track.is = agreement::mixed; },
                           [](free_way& w) { w.s.unreadable = {"hold"}; }, [](free_way& w) { w.s.track.now->back->doubt = "x"; },
                           [](free_way& w) { w.rule().not_this_release = true; }, [](free_way& w) { w.names.is = intent::kind::neither; },
                           [](free_way& w) { w.s.track.now->window_ended = true; },
                           [](free_way& w) { w.s.held = hold{"ben", "x", w.now, {w.now.at + 1h, w.now.wall + 1h}}; }}) {
    free_way w;
    asks(w);
    CHECK(w.weighs().is != stance::act);
    CHECK(w.weighs(cause::kind::approved).is == stance::act);
  }
  for (const change& stands :
       std::vector<change>{[](free_way& w) { w.s.track.slots[blue].well = false; }, [](free_way& w) { w.s.stable->asked -= 3s; },
                           [](free_way& w) { w.s.ready->lacks = {{true, "x"}}; }, [](free_way& w) { w.rule().breached = false; },
                           [](free_way& w) { w.rule().holds = answer::no; }, [](free_way& w) { w.finds(blame::kind::both_fail); },
                           [](free_way& w) { w.s.blames["error-rate"].asked -= 3s; }, [](free_way& w) { w.rule().withheld = answer::yes; },
                           [](free_way& w) { w.s.latched = latch{w.epoch_now(), {}, {}, {}, {}}; }}) {
    free_way w;
    stands(w);
    CHECK(w.weighs(cause::kind::approved).is != stance::act);
  }
}

TEST_CASE("a_breach_is_judged_by_when_its_condition_began") {
  free_way w;
  const instant end = w.s.track.now->began.at + w.by.window;
  rule_now r = w.rule();
  r.lasts = 1min;
  const auto in = [&](instant since, instant at, bool breached) {
    r.true_since = since;
    r.breached = breached;
    return in_window(w.s, w.by, present{{at, {}}, w.names, {}}, r);
  };
  w.s.last.clear();
  CHECK(in(end - 5min, end - 1min, true));
  CHECK_FALSE(in(w.s.track.now->began.at - 1ns, end - 1min, true));
  CHECK(in(w.s.track.now->began.at, end - 1min, true));
  CHECK(in(end, end + 1min, false));  // pending at the window's end: for that long
  CHECK_FALSE(in(end, end + 61s, false));
  CHECK_FALSE(in(end + 1ns, end + 2ns, false));
  CHECK(in(end - 30s, end + 30s, true));  // it has just come of that
  // Past that, only what was being asked is carried through, and for a minute.
  for (const auto& [last, carried] : std::vector<std::pair<stance, bool>>{
           {stance::waits, true}, {stance::act, true}, {stance::blocked, false}, {stance::asks, false}, {stance::tells, false}}) {
    w.s.last["error-rate"].is = static_cast<std::uint8_t>(last);
    CHECK(in(end - 30s, end + 31s, true) == carried);
    CHECK(in(end - 30s, end + 90s, true) == carried);
    CHECK_FALSE(in(end - 30s, end + 91s, true));
    // A breach that was there well before the end is not kept by its rule's `for`.
    CHECK(in(end - 5min, end + 1s, true) == carried);
  }
}

TEST_CASE("where_a_person's_order_leads") {
  struct row {
    std::string name;
    std::function<void(free_way&)> is_so;
    std::optional<slot_number> to;
  };
  const std::vector<row> table{
      {"to the way back", [](free_way&) {}, blue},
      {"with no way back, to the other slot", [](free_way& w) { w.s.track.now->back.reset(); }, blue},
      {"to a slot that is fixed by name",
       [](free_way& w) {
         w.s.track.now->back.reset();
         w.by.stable = green;
       },
       green},
      {"never on to what was rolled back",
       [](free_way& w) {
         w.s.track.now->is = epoch::kind::rolled_back;
         w.s.track.now->live = {blue, "v1"};
         w.s.track.now->back.reset();
       },
       blue},
      {"with no known effect, away from what the switch names",
       [](free_way& w) {
         w.s.track.now.reset();
         w.names.slot = green;
       },
       blue},
      {"with no known effect, by what is remembered",
       [](free_way& w) {
         w.s.track.recalled = recollection{*w.s.track.now, w.now, false, false};
         w.s.track.now.reset();
         w.names.is = intent::kind::neither;
       },
       blue},
      {"never on to what an earlier life rolled back",
       [](free_way& w) {
         w.s.track.recalled = recollection{*w.s.track.now, w.now, false, false};
         w.s.track.recalled->then.is = epoch::kind::rolled_back;
         w.s.track.recalled->then.live = {blue, "v1"};
         w.s.track.recalled->then.back.reset();
         w.s.track.now.reset();
         w.names.slot = blue;
       },
       blue},
      {"with nothing known it can't be told",
       [](free_way& w) {
         w.s.track.now.reset();
         w.names.is = intent::kind::neither;
       },
       std::nullopt},
  };
  for (const row& r : table) {
    CAPTURE(r.name);
    free_way w;
    r.is_so(w);
    const auto to = ordered_to(w.s, w.by, present{w.now, w.names, {}});
    CHECK((to ? std::optional(to->slot) : std::nullopt) == r.to);
  }
}

TEST_CASE("a_hold_is_told_with_its_owner_its_end_and_its_reason") {
  const hold h{"ada", "release day", {}, {instant{}, wall_time{} + 24h + 1h}};
  CHECK(text_of(h) == "held by ada until 1970-01-02 01:00:00 UTC: release day");
}
