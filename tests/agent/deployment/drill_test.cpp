#include "agent/deployment/drill.hpp"

#include "tests/agent/deployment/story.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace flipback;
using namespace flipback::deployment;

namespace {

/// A story's world, asked in a loop of its own; its looks come as fast as they are taken.
struct told_world final : world, rule_book {
  story& of;
  int asked = 0;
  int well_for = 100;  ///< so many answers of the slot
  bool fails_check = false;
  explicit told_world(story& s) : of(s) {}

  clocks now() override { return {"a boot", of.now}; }
  intent names() override { return of.names; }
  asio::awaitable<sighting> look(bool /*fresh*/) override { co_return of.sight(); }
  asio::awaitable<slot_reply> ask_slot(slot_number which) override {
    slot_reply r = of.sight().slots[which];
    if (++asked > well_for) {
      r.well = false;
      r.says = "503";
    }
    co_return r;
  }
  asio::awaitable<blame> ask_blame(slot_number /*live*/, slot_number /*stable*/, error_shares /*errors*/) override { co_return blame{}; }
  asio::awaitable<known_readiness> look_ready() override { co_return known_readiness{of.now.at, of.lacks}; }

  std::vector<rule_now> rules_now(const state& /*s*/) override { return {}; }
  std::vector<std::string> not_this_release() override { return {}; }
  asio::awaitable<std::string> unmet_check(slot_number /*of*/) override { co_return fails_check ? "users: 500" : ""; }
  error_shares errors_of(const std::string& /*rule*/, instant /*since*/) override { return {}; }
  void start_anew(const start_rules_anew& /*how*/) override {}
  void window(bool /*open*/) override {}
  void follow(const state& /*s*/) override {}
};

struct rehearsal {
  story w;
  told_world seen{w};
  std::function<void(drill&)> each_look = [this](drill& d) { d.see(w.sight()); };

  drilled run() {
    w.by.confirm_every = std::chrono::milliseconds(1);
    asio::io_context loop(1);
    drill d(loop, seen, seen, w.by, w.s);
    std::optional<drilled> came;
    asio::co_spawn(loop, d.run(present{w.now, w.names, {}, {}, {}}), [&](const std::exception_ptr& thrown, drilled made) {
      CHECK_FALSE(thrown);
      came = std::move(made);
    });
    for (int turn = 0; !came; ++turn) {
      loop.run_for(std::chrono::milliseconds(2));
      loop.restart();
      if (turn >= 20) each_look(d);  // the slot was asked by then
      if (turn > 40) d.end();
    }
    return *came;
  }
};

std::string step(const drilled& of, std::string_view what) {
  const auto found = std::ranges::find(of.steps, what, &rehearsed::what);
  if (found == of.steps.end()) return "none";
  const std::vector<std::string> words{"no: ", "ok: ", "can't tell: "};
  return words.at(static_cast<std::size_t>(found->is)) + found->says;
}

}  // namespace

TEST_CASE("after_a_cutover_all_that_a_rollback_needs_is_there") {
  rehearsal r;
  r.w.green_is_put_live();
  const drilled found = r.run();
  CHECK(found.is == answer::yes);
  CHECK(found.says == "a rollback to blue with v1 would be carried out and proven; nothing was changed");
  CHECK(found.to == placed{blue, "v1"});
  CHECK(r.seen.asked == static_cast<int>(r.w.by.confirm));
  CHECK(step(found, "proof").starts_with("ok: 3 fresh answers in a row"));
  CHECK(found.rule.starts_with("is rolled back by itself"));
}

TEST_CASE("each_thing_that_a_rollback_would_fail_by_is_named") {
  struct row {
    const char* step;
    const char* says;
    std::function<void(rehearsal&)> with;
    answer is = answer::no;
  };
  const std::vector<row> rows{
      {"ready", "no: no pid; start nginx", [](rehearsal& r) { r.w.lacks = {{true, "no pid", "start nginx"}}; }},
      {"ready", "ok: nothing stands in nginx's way; but no witness; write one",
       [](rehearsal& r) { r.w.lacks = {{false, "no witness", "write one"}}; }, answer::yes},
      {"slot", "no: blue is sick: 500", [](rehearsal& r) { r.w.well[blue] = false; }},
      {"slot", "no: blue is sick: 503", [](rehearsal& r) { r.seen.well_for = 1; }},
      {"slot", "can't tell: blue can't be asked: too many open files", [](rehearsal& r) { r.w.can_be_asked[blue] = false; },
       answer::cant_tell},
      {"slot", "no: blue does not pass its check users: 500", [](rehearsal& r) { r.seen.fails_check = true; }},
      {"slot", "no: blue no longer has v1, but v0", [](rehearsal& r) { r.w.releases[blue] = "v0"; }},
      {"record", "no: latch: disk full; make room", [](rehearsal& r) { r.w.take(stored{"latch", "disk full"}); }},
      {"proof", "no: 0 of 3 answers in a row; the switch names green, and blue answered", [](rehearsal& r) { r.w.reached = blue; },
       answer::cant_tell},
      {"proof", "can't tell: 0 of 3 answers in a row; both slots answered users, so that a rollback would end unproven",
       [](rehearsal& r) { r.w.log = r.w.log_both = true; }, answer::cant_tell},
      {"proof", "can't tell: 0 of 3 answers in a row; the front door did not answer",
       [](rehearsal& r) {
         r.w.reached.reset();
         r.w.log = false;
       },
       answer::cant_tell},
  };
  for (const row& one : rows) {
    const std::string says = one.says;
    CAPTURE(says);
    rehearsal r;
    r.w.green_is_put_live();
    one.with(r);
    const drilled found = r.run();
    CHECK(found.is == one.is);
    CHECK_MESSAGE(step(found, one.step).contains(one.says), step(found, one.step));
  }
}

TEST_CASE("one_witness_of_another_slot_begins_the_row_anew") {
  rehearsal r;
  r.w.green_is_put_live();
  int looks = 0;
  r.each_look = [&](drill& d) {
    r.w.reached = ++looks == 3 ? blue : green;
    d.see(r.w.sight());
  };
  CHECK(r.run().is == answer::yes);
  CHECK(looks >= 6);
}

TEST_CASE("what_a_breached_rule_would_come_to_is_said_and_counts_for_nothing") {
  rehearsal told;
  told.w.green_is_put_live();
  told.w.by.mode = config::mode::observe;
  CHECK(told.run().rule == "tells only: mode is observe");
  rehearsal held;
  held.w.green_is_put_live().holds(1h);
  const drilled found = held.run();
  CHECK(found.rule.starts_with("is blocked: held by ada until "));
  CHECK(found.is == answer::yes);
  rehearsal rolled;
  rolled.w.green_is_put_live().is_rolled_back();
  CHECK(rolled.run().rule.starts_with("tells only: "));
}

TEST_CASE("without_a_cutover_a_person's_way_is_said_to_be_one_that_nothing_has_shown_to_work") {
  rehearsal r;
  r.w.look(3);
  const drilled found = r.run();
  CHECK(found.is == answer::cant_tell);
  CHECK_MESSAGE(step(found, "way back").starts_with("can't tell: a person's rollback leads to green with v2, a rule's nowhere: "),
                step(found, "way back"));
}

TEST_CASE("a_drill_that_is_cut_off_says_to_type_it_again") {
  rehearsal r;
  r.w.green_is_put_live();
  r.each_look = [](drill& d) { d.end(); };
  const drilled found = r.run();
  CHECK(found.is == answer::cant_tell);
  CHECK(found.says.ends_with("type it again"));
}
