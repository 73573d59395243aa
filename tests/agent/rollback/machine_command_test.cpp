// What is made of a command that has ended while the switch names what it named before: users tell whether it changed something.

#include "agent/rollback/machine.hpp"
#include "tests/agent/rollback/host.hpp"

using namespace flipback;
using namespace flipback::rollback;
using deployment::intent;

namespace {

/// A host whose `active` goes on printing green whatever the command does, or prints nothing that can be read.
struct commanded : host {
  commanded() {
    of.reloads = false;
    of.of.changes = {command_change{.from = "green", .to = "blue"}};
    of.forward.new_workers_needed = of.back.new_workers_needed = false;
    of.forward.within = of.back.within = 30s;
    of.back.may_fail = true;
    files = {stands::before};
    instead_of_put = [this](const put_change& p) {
      if (p.to == end::after) runs = moves_users_to;
      return std::optional(put_result::kind::in_vain);
    };
    names = [this] { return prints; };
    at_look = [this](proof_look& seen) {
      seen.names = prints;
      if (seen.door && logs) seen.line = own_line{runs, answer::cant_tell, status};
    };
  }
  void cut_off_before_its_end(bool undo_begun = false) {
    runs = moves_users_to;
    cut_off found;
    found.changes = {{stands::before, {}}};
    found.names = prints;
    found.undo_begun = undo_begun;
    found.stable_is_well = true;
    run(start_over{now, found});
  }

  intent prints{intent::kind::names, green, {}, {}};
  std::optional<slot_number> moves_users_to = green;
  unsigned status = 200;
};

const intent unreadable{intent::kind::unreadable, 0, "there is no `active` to ask", {}};
const intent garbage{intent::kind::neither, 0, "`active` prints \"half\"", {}};

}  // namespace

TEST_CASE("a_command_in_vain_ends_as_users_are_seen") {
  struct row_of {
    std::string name;
    intent prints;
    std::optional<slot_number> users;
    bool logs;
    outcome becomes;
    std::optional<slot_number> reached;
    bool changed;
    std::string says;
  };
  const intent still{intent::kind::names, green, {}, {}};
  const std::vector<row_of> table{
      {"users are where they were", still, green, true, outcome::nothing_changed, green, false, "users are seen on green"},
      {"users are on the stable slot", still, blue, true, outcome::unproven, blue, true, "the disk says so"},
      {"nothing shows where they are", still, blue, false, outcome::cant_tell, std::nullopt, true, "look at what slots.blue.switch does"},
      {"there is no active, and users are where they were", unreadable, green, true, outcome::nothing_changed, green, false, "green"},
      {"there is no active, and users are on the stable slot", unreadable, blue, true, outcome::rolled_back, blue, true,
       "the disk says so"},
      {"active prints no slot, and users are on the stable one", garbage, blue, true, outcome::unproven, blue, true, "blue"},
  };
  for (const row_of& r : table) {
    for (const bool after_a_crash : {false, true}) {
      CAPTURE(r.name);
      CAPTURE(after_a_crash);
      commanded h;
      h.prints = r.prints;
      h.moves_users_to = r.users;
      h.logs = r.logs;
      if (after_a_crash)
        h.cut_off_before_its_end();
      else
        h.roll_back();
      REQUIRE(h.over);
      CHECK(name_of(h.over->how) == name_of(r.becomes));
      CHECK(h.over->reached == r.reached);
      CHECK(h.over->changed == r.changed);
      CHECK(h.changed_told == (r.changed ? 1 : 0));
      if (!after_a_crash) CHECK_MESSAGE(h.over->says.find(r.says) != std::string::npos, h.over->says);
      CHECK(h.count("put 0") == (after_a_crash ? 0 : 1));
      CHECK(h.count("put back 0") == 0);
    }
  }
}

TEST_CASE("what_a_command_in_vain_set_going_has_its_time_before_users_are_said_to_have_stayed") {
  commanded h;
  h.at_look = [&h](proof_look& seen) {
    seen.names = h.prints;
    if (h.now - *h.looked_first > 10s) h.runs = blue;
    if (seen.door) seen.line = own_line{h.runs, answer::cant_tell, 200};
  };
  h.roll_back();
  REQUIRE(h.over);
  CHECK(name_of(h.over->how) == name_of(outcome::unproven));
  CHECK(h.over->reached == blue);
}

TEST_CASE("an_active_that_comes_to_print_the_stable_slot_after_the_command_s_end_is_a_proof_like_any_other") {
  commanded h;
  h.moves_users_to = blue;
  h.at_look = [&h](proof_look& seen) {
    h.prints.slot = blue;
    seen.names = h.prints;
    if (seen.door) seen.line = own_line{h.runs, answer::cant_tell, 200};
  };
  h.roll_back();
  REQUIRE(h.over);
  CHECK(name_of(h.over->how) == name_of(outcome::rolled_back));
  CHECK(h.over->changed);
}

TEST_CASE("an_active_that_comes_to_print_the_stable_slot_while_users_stay_is_not_said_to_have_changed_nothing") {
  for (const bool late : {false, true}) {  // while they are awaited, or only while it is looked whether they stayed
    CAPTURE(late);
    commanded h;
    h.at_look = [&h, late](proof_look& seen) {
      if (!late || h.machine.is == machine_state::phase::looking_whether_they_stayed) h.prints.slot = blue;
      seen.names = h.prints;
      if (seen.door) seen.line = own_line{green, answer::cant_tell, 200};
    };
    h.roll_back();
    REQUIRE(h.over);
    CHECK(name_of(h.over->how) == name_of(outcome::unproven));
    CHECK(h.over->reached == green);
    CHECK(h.over->changed);
  }
}

TEST_CASE("the_failed_slot's_5xx_show_that_users_are_on_it_still") {
  commanded h;
  h.status = 500;
  h.roll_back();
  REQUIRE(h.over);
  CHECK(name_of(h.over->how) == name_of(outcome::nothing_changed));
}

TEST_CASE("users_on_the_stable_slot_while_the_switch_names_the_other_are_no_undo") {
  commanded h;
  h.moves_users_to = blue;
  h.instead_of_put = [](const put_change&) { return std::optional(put_result::kind::done); };  // `active` prints green already
  h.cut_off_before_its_end(true);
  REQUIRE(h.over);
  CHECK(name_of(h.over->how) == name_of(outcome::not_undone));
  CHECK(h.over->reached == blue);
}

TEST_CASE("of_a_command_that_had_ended_before_a_crash_what_stands_there_now_tells_nothing") {
  for (const bool changed : {false, true}) {
    CAPTURE(changed);
    commanded h;
    cut_off found;
    found.changes = {{stands::before, {}}};
    found.names = h.prints;
    found.ended = ended_before{false, changed};
    h.run(start_over{h.now, found});
    REQUIRE(h.over);
    CHECK(name_of(h.over->how) == name_of(changed ? outcome::cant_tell : outcome::nothing_changed));
  }
}

TEST_CASE("the_journal's_last_row_says_that_nothing_was_changed") {
  commanded h;
  h.roll_back();
  REQUIRE(!h.rows.empty());
  CHECK(h.rows.back().is == row::kind::ended);
  CHECK(h.rows.back().answer == answer::no);

  commanded moved;
  moved.logs = false;
  moved.roll_back();
  CHECK(moved.rows.back().answer == answer::cant_tell);
}
