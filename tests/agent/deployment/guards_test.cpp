#include "agent/deployment/guards.hpp"

#include "tests/agent/deployment/free_way.hpp"

#include <functional>
#include <set>
#include <string>
#include <vector>

using namespace flipback;
using namespace flipback::deployment;

TEST_CASE("where_nothing_stands_in_the_way_it_acts_and_says_whom_it_blames") {
  const free_way w;
  const weighed found = w.weighs();
  CHECK(found.is == stance::act);
  CHECK(found.by == guard::none);
  CHECK(found.says == "green fails what blue does well");
}

TEST_CASE("each_guard_alone_in_the_way") {
  struct row {
    std::string name;
    std::function<void(free_way&)> is_so;
    guard by;
    stance is;
    std::string says;
  };
  const std::vector<row> table{
      {"it is not known which slot is live", [](free_way& w) { w.s.track.now.reset(); }, guard::live, stance::blocked,
       "not known which slot is live"},
      {"no way back", [](free_way& w) { w.s.track.now->back.reset(); }, guard::way_back, stance::tells, "window open --stable"},
      {"the stable slot has another release", [](free_way& w) { w.s.track.slots[blue].release = "v7"; }, guard::way_back, stance::tells,
       "no longer has v1"},
      {"the stable slot's newest answer has another release", [](free_way& w) { w.s.stable->release = "v7"; }, guard::way_back,
       stance::tells, "no longer has v1"},
      {"the live slot is the stable one", [](free_way& w) { w.s.track.now->back->to.slot = green; }, guard::way_back, stance::tells,
       "live already"},
      {"the stable slot is the canary", [](free_way& w) { w.by.canary = blue; }, guard::way_back, stance::tells, "canary"},
      {"the rule is no longer breached", [](free_way& w) { w.rule().breached = false; }, guard::condition, stance::tells,
       "no longer breached"},
      {"the rule is gone", [](free_way& w) { w.rules.clear(); }, guard::condition, stance::tells, "no longer breached"},
      {"its condition began before the cutover", [](free_way& w) { w.rule().true_since = w.s.track.now->began.at - 1s; }, guard::condition,
       stance::tells, "before the cutover"},
      {"its condition is not true now", [](free_way& w) { w.rule().holds = answer::no; }, guard::condition, stance::blocked, "not true"},
      {"whether its condition is true can't be told", [](free_way& w) { w.rule().holds = answer::cant_tell; }, guard::condition,
       stance::blocked, "not true"},
      {"the latch is shut",
       [](free_way& w) { w.s.latched = latch{w.epoch_now(), {green, "v2"}, "error-rate", w.now, "tried at 14:03, undone: x"}; },
       guard::latch, stance::tells, "tried at 14:03, undone: x"},
      {"the window is over", [](free_way& w) { w.s.track.now->window_ended = true; }, guard::window, stance::tells, "window is over"},
      {"a baseline has no window", [](free_way& w) { w.s.track.now->is = epoch::kind::baseline; }, guard::window, stance::tells,
       "window is over"},
      {"nor has what was rolled back", [](free_way& w) { w.s.track.now->is = epoch::kind::rolled_back; }, guard::window, stance::tells,
       "window is over"},
      {"a hold", [](free_way& w) { w.s.held = hold{"ada", "release day", w.now, {w.now.at + 1min, w.now.wall + 1min}}; }, guard::hold,
       stance::blocked, "held by ada"},
      {"the switch can't be read",
       [](free_way& w) {
         w.names.is = intent::kind::unreadable;
         w.names.says = "permission denied";
       },
       guard::intent, stance::blocked, "permission denied"},
      {"the switch names no slot",
       [](free_way& w) {
         w.names.is = intent::kind::neither;
         w.names.says = "/etc/nginx/live says something else";
       },
       guard::intent, stance::asks, "somebody may be changing it"},
      {"the switch names a third slot",
       [](free_way& w) {
         w.by.slots.emplace_back("red");
         w.names.slot = 2;
       },
       guard::intent, stance::asks, "red"},
      {"what the rule reads is no ground to act on", [](free_way& w) { w.rule().unfit = "the log has no user agents"; }, guard::evidence,
       stance::blocked, "no user agents"},
      {"the rule's unless is true", [](free_way& w) { w.rule().withheld = answer::yes; }, guard::unless_rule, stance::blocked, "unless"},
      {"after a boot the live slot has not been well", [](free_way& w) { w.s.track.live_was_well = false; }, guard::boot, stance::blocked,
       "has not been well"},
      {"it was not looked whether all is ready", [](free_way& w) { w.s.ready.reset(); }, guard::ready, stance::waits, ""},
      {"that was looked at more than a minute ago", [](free_way& w) { w.s.ready->looked -= 61s; }, guard::ready, stance::waits, ""},
      {"that was looked at before the cutover", [](free_way& w) { w.s.ready->looked = w.s.track.now->began.at - 1s; }, guard::ready,
       stance::waits, ""},
      {"something is lacking", [](free_way& w) { w.s.ready->lacks = {{true, "no pid file; `flipback --check`"}}; }, guard::ready,
       stance::blocked, "no pid file"},
      {"the stable slot is sick", [](free_way& w) { w.s.track.slots[blue].well = false; }, guard::stable, stance::blocked,
       "would not help"},
      {"the stable slot's newest answer is sick", [](free_way& w) { w.s.stable->well = false; }, guard::stable, stance::blocked,
       "would not help"},
      {"it could not be asked just now", [](free_way& w) { w.s.stable->not_asked = true; }, guard::confirm, stance::waits,
       "can't be asked"},
      {"the newest look could not ask it",
       [](free_way& w) {
         w.s.track.slots[blue].not_asked = true;
         w.s.track.slots[blue].answered = w.now.at + 1ns;
       },
       guard::confirm, stance::waits, "can't be asked"},
      {"it has not been well often enough", [](free_way& w) { w.s.track.slots[blue].well_in_a_row = 2; }, guard::confirm, stance::waits,
       "2 of 3"},
      {"it does not pass a check of its own", [](free_way& w) { w.s.stable->unmet = "login (answered 500)"; }, guard::stable,
       stance::blocked, "does not pass its check login (answered 500)"},
      {"it was not asked once more", [](free_way& w) { w.s.stable.reset(); }, guard::confirm, stance::waits, "once more"},
      {"it was asked more than 2 s ago", [](free_way& w) { w.s.stable->asked -= 2001ms; }, guard::confirm, stance::waits, "once more"},
      {"it was asked in another epoch", [](free_way& w) { --w.s.stable->epoch; }, guard::confirm, stance::waits, "once more"},
      {"another slot was asked", [](free_way& w) { w.s.stable->slot = green; }, guard::confirm, stance::waits, "once more"},
      {"both slots were not asked", [](free_way& w) { w.s.blames.clear(); }, guard::blame, stance::waits, "both slots are asked"},
      {"they were asked more than 2 s ago", [](free_way& w) { w.s.blames["error-rate"].asked -= 2001ms; }, guard::blame, stance::waits,
       "both slots"},
      {"they were asked in another epoch", [](free_way& w) { --w.s.blames["error-rate"].epoch; }, guard::blame, stance::waits,
       "both slots"},
      {"they were asked for another breach", [](free_way& w) { w.s.blames["error-rate"].condition -= 1s; }, guard::blame, stance::waits,
       "both slots"},
      {"both fail", [](free_way& w) { w.finds(blame::kind::both_fail); }, guard::blame, stance::blocked, "found"},
      {"more has to be asked", [](free_way& w) { w.finds(blame::kind::unsure); }, guard::blame, stance::waits, "found"},
      {"both did well, and it is not known whether it goes on", [](free_way& w) { w.s.blames["error-rate"].first_both_well = w.now.at; },
       guard::short_window, stance::waits, "above the limit by itself"},
      {"both failed once, and it does not go on",
       [](free_way& w) {
         w.s.both_failed = w.now.at;
         w.rule().above_since_mark = answer::no;
       },
       guard::short_window, stance::waits, "above the limit by itself"},
      {"mode is observe", [](free_way& w) { w.by.mode = config::mode::observe; }, guard::mode, stance::tells, "in mode act"},
      {"the rule's own mode is observe", [](free_way& w) { w.rule().mode = config::mode::observe; }, guard::mode, stance::tells,
       "in mode act"},
      {"mode is ask", [](free_way& w) { w.by.mode = config::mode::ask; }, guard::mode, stance::asks, "mode is ask"},
      {"the rule's own mode is ask", [](free_way& w) { w.rule().mode = config::mode::ask; }, guard::mode, stance::asks, "mode is ask"},
      {"users are elsewhere", [](free_way& w) { w.s.track.is = agreement::failover; }, guard::elsewhere, stance::asks, "another slot"},
      {"users were moved", [](free_way& w) { w.s.track.is = agreement::moved; }, guard::elsewhere, stance::asks, "another slot while"},
      {"users are at both", [](free_way& w) { w.s.track.is = agreement::mixed; }, guard::elsewhere, stance::asks, "by turns"},
      {"memory can't be read", [](free_way& w) { w.s.unreadable = {"hold"}; }, guard::memory, stance::asks, "could not be read"},
      {"the way back is doubtful", [](free_way& w) { w.s.track.now->back->doubt = "left in its window"; }, guard::doubt, stance::asks,
       "left in its window"},
      {"the condition was true before", [](free_way& w) { w.rule().not_this_release = true; }, guard::not_this_release, stance::asks,
       "already"},
      {"the condition was true before, and it is worse than before",
       [](free_way& w) {
         w.rule().not_this_release = true;
         w.rule().held_against_before = true;
         w.by.mode = config::mode::ask;
       },
       guard::mode, stance::asks, "mode is ask"},
      {"it is no worse than before",
       [](free_way& w) {
         w.rule().withheld = answer::yes;
         w.rule().no_worse = "not half as bad again";
       },
       guard::no_worse, stance::asks, "not half as bad"},
      {"this release was rolled back before", [](free_way& w) { w.s.failures = {{{green, "v2"}, {w.now.at - 23h, w.now.wall - 23h}}}; },
       guard::failed_before, stance::asks, "brought it back"},
      {"this release was rolled back before, from the other slot", [](free_way& w) { w.s.failures = {{{blue, "v2"}, w.now}}; },
       guard::failed_before, stance::asks, "brought it back"},
      {"the log does not tell slots apart", [](free_way& w) { w.rule().doubtful = "the log has no addresses"; }, guard::evidence,
       stance::asks, "no addresses"},
      {"what both share is ill, and nobody is found to blame",
       [](free_way& w) {
         w.finds(blame::kind::cant_tell);
         w.rule().shared_is_ill = "postgres can't be reached";
       },
       guard::shared, stance::asks, "postgres"},
      {"one client, and nobody is found to blame",
       [](free_way& w) {
         w.finds(blame::kind::cant_tell);
         w.rule().one_client = "203.0.113.7 makes 90% of the errors";
       },
       guard::client, stance::asks, "203.0.113.7"},
      {"only clients that hung up, and nobody is found to blame",
       [](free_way& w) {
         w.finds(blame::kind::cant_tell);
         w.rule().only_hang_ups = true;
       },
       guard::hang_ups, stance::asks, "hung up"},
  };
  std::set<std::string_view> met;
  for (const row& r : table) {
    CAPTURE(r.name);
    free_way w;
    r.is_so(w);
    const weighed found = w.weighs();
    CHECK(name_of(found.by) == name_of(r.by));
    CHECK(found.is == r.is);
    CHECK_MESSAGE(found.says.find(r.says) != std::string::npos, found.says);
    // Nobody is left without a thing to type.
    if (found.is != stance::waits && found.by != guard::condition)
      CHECK_MESSAGE(found.says.find("`flipback ") != std::string::npos, found.says);
    met.insert(name_of(r.by));
  }
  CHECK(met.size() == 25);  // each has a name of its own, and a row
}

TEST_CASE("what_is_no_obstacle") {
  struct row {
    std::string name;
    std::function<void(free_way&)> is_so;
  };
  const std::vector<row> table{
      {"it can't be told who is to blame", [](free_way& w) { w.finds(blame::kind::cant_tell); }},
      {"both did well, and it goes on all the same",
       [](free_way& w) {
         w.finds(blame::kind::both_well);
         w.s.blames["error-rate"].first_both_well = w.now.at - 1min;
         w.rule().above_since_mark = answer::yes;
       }},
      {"what both share is ill, but the release is found to blame",
       [](free_way& w) { w.rule().shared_is_ill = "postgres can't be reached"; }},
      {"one client, but the release is found to blame", [](free_way& w) { w.rule().one_client = "203.0.113.7"; }},
      {"clients that hung up, but the release is found to blame", [](free_way& w) { w.rule().only_hang_ups = true; }},
      {"the switch names the stable slot already", [](free_way& w) { w.names.slot = blue; }},
      {"no switch can be read, and the effect stands for it",
       [](free_way& w) {
         w.by.effect_is_intent = true;
         w.names.is = intent::kind::unreadable;
       }},
      {"a hold that is over", [](free_way& w) { w.s.held = hold{"ada", "x", w.now, w.now}; }},
      {"a latch of another epoch", [](free_way& w) { w.s.latched = latch{w.epoch_now() - 1, {green, "v2"}, "x", w.now, "x"}; }},
      {"something that is lacking, but blocks nothing", [](free_way& w) { w.s.ready->lacks = {{false, "no log"}}; }},
      {"a stable slot whose release is not told", [](free_way& w) { w.s.stable->release.clear(); }},
      {"another release was rolled back", [](free_way& w) { w.s.failures = {{{green, "v0"}, w.now}}; }},
      {"it was rolled back more than a day ago", [](free_way& w) { w.s.failures = {{{green, "v2"}, {w.now.at - 25h, w.now.wall - 25h}}}; }},
      {"a colour tells no releases apart",
       [](free_way& w) {
         w.s.track.now->live.release = "green";
         w.s.failures = {{{green, "green"}, w.now}};
       }},
      {"the stable slot was sick before it was well",
       [](free_way& w) {
         w.s.stable->well = false;
         w.s.stable->asked -= 10s;
         w.s.track.slots[blue].answered = w.now.at;
         w.s.stable->well = true;
         w.s.stable->asked = w.now.at;
       }},
      {"a look before the newest answer could not ask the stable slot", [](free_way& w) { w.s.track.slots[blue].not_asked = true; }},
      {"answers that are 2 s old",
       [](free_way& w) {
         w.s.stable->asked -= 2s;
         w.s.blames["error-rate"].asked -= 2s;
       }},
      {"a rule whose own mode is act", [](free_way& w) { w.rule().mode = config::mode::act; }},
  };
  for (const row& r : table) {
    CAPTURE(r.name);
    free_way w;
    r.is_so(w);
    const weighed found = w.weighs();
    CHECK_MESSAGE(found.is == stance::act, name_of(found.by));
  }
}
