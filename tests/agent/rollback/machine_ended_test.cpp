// What is made of an attempt that had ended when the agent did, and of one whose switch a person has moved since.

#include "agent/rollback/machine.hpp"
#include "tests/agent/rollback/host.hpp"

using namespace flipback;
using namespace flipback::rollback;

namespace {

cut_off found_at(const std::vector<stands>& files) {
  cut_off found;
  for (const stands s : files) found.changes.push_back({s, s == stands::foreign ? "somebody changed it" : ""});
  found.rows = 9;
  found.stable_is_well = found.stable_has_release = true;
  return found;
}

}  // namespace

TEST_CASE("what_had_ended_before_a_crash_is_said_again_and_not_done_again") {
  const stands b = stands::before;
  const stands a = stands::after;
  struct row_of {
    std::string name;
    std::vector<stands> files;
    ended_before was;
    bool undo_begun;
    outcome becomes;
  };
  const std::vector<row_of> table{
      {"proven then, and now", {a, a}, {true, true}, false, outcome::rolled_back},
      {"unproven", {a, a}, {false, true}, false, outcome::unproven},
      {"undone", {b, b}, {false, true}, true, outcome::undone},
      {"it had changed nothing", {b, b}, {false, false}, false, outcome::nothing_changed},
      {"a person went on", {b, b}, {true, true}, false, outcome::operator_took_over},
      {"a person edits", {a, stands::foreign}, {true, true}, false, outcome::operator_took_over},
  };
  for (const row_of& r : table) {
    CAPTURE(r.name);
    host h;
    h.files = r.files;
    cut_off found = found_at(r.files);
    found.ended = r.was;
    found.undo_begun = r.undo_begun;
    if (r.files == std::vector<stands>{a, a}) {
      found.names = {deployment::intent::kind::names, blue, {}, {}};
      h.runs = blue;
    }
    h.run(start_over{h.now, found});
    REQUIRE(h.over);
    CHECK(name_of(h.over->how) == name_of(r.becomes));
    CHECK(h.over->changed == r.was.changed);
    CHECK(h.files == r.files);
    for (const char* one : {"put 0", "put 1", "put back 0", "put back 1", "test", "reload"}) CHECK(h.count(one) == 0);
  }
}

TEST_CASE("a_switch_that_a_person_made_name_a_slot_is_left_as_they_made_it") {
  for (const slot_number named : {blue, green}) {
    for (const bool undo_begun : {false, true}) {
      CAPTURE(named);
      CAPTURE(undo_begun);
      host h;
      h.files = {stands::after, stands::foreign};
      cut_off found = found_at(h.files);
      found.names = {deployment::intent::kind::names, named, {}, {}};
      found.undo_begun = undo_begun;
      h.run(start_over{h.now, found});
      REQUIRE(h.over);
      CHECK(h.over->how == outcome::operator_took_over);
      CHECK(h.files == std::vector<stands>{stands::after, stands::foreign});
      for (const char* one : {"put 0", "put 1", "put back 0", "put back 1", "test", "reload"}) CHECK(h.count(one) == 0);
    }
  }
}
