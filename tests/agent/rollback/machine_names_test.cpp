// What the switch names beside what was put: it may say more than the changes are about, and a person may turn it at any moment.

#include "agent/rollback/machine.hpp"
#include "tests/agent/rollback/host.hpp"

using namespace flipback;
using namespace flipback::rollback;
using deployment::intent;

namespace {

intent names(slot_number slot) {
  return {intent::kind::names, slot, {}, {}};
}

const intent neither{intent::kind::neither, 0, "another file says green's", {}};

}  // namespace

TEST_CASE("what_was_put_must_read_back_before_nginx_reads_it") {
  struct row_of {
    std::string name;
    intent after_the_puts;
    outcome becomes;
    std::vector<stands> files;
  };
  const std::vector<row_of> table{
      {"another file has come to say the other slot", neither, outcome::operator_took_over, {stands::before, stands::before}},
      {"a person has turned it to the other slot", names(green), outcome::operator_took_over, {stands::after, stands::after}},
      {"it can't be read", {}, outcome::rolled_back, {stands::after, stands::after}},
  };
  for (const row_of& r : table) {
    CAPTURE(r.name);
    host h;
    h.names = [&] { return h.count("put 1") > 0 && h.count("put back 0") == 0 ? r.after_the_puts : names(green); };
    if (r.becomes == outcome::rolled_back) h.names = [&] { return r.after_the_puts; };
    h.roll_back();
    REQUIRE(h.over);
    CHECK(name_of(h.over->how) == name_of(r.becomes));
    CHECK(h.files == r.files);
    if (r.becomes != outcome::operator_took_over) continue;
    CHECK(h.count("test") == 1);  // the preflight alone: what is somebody else's is theirs to test, too
    CHECK(h.count("reload") == 0);
  }
}

TEST_CASE("a_recovery_whose_own_files_are_there_looks_at_what_the_switch_names") {
  host h;
  h.files = {stands::after, stands::after};
  h.names = [] { return neither; };
  cut_off found;
  found.changes = {{stands::after, {}}, {stands::after, {}}};
  found.stable_is_well = true;
  found.names = neither;
  h.run(start_over{h.now, found});
  REQUIRE(h.over);
  CHECK(name_of(h.over->how) == name_of(outcome::operator_took_over));
  CHECK(h.files == std::vector<stands>{stands::before, stands::before});
}

TEST_CASE("a_rollback_without_changes_is_cut_off_and_a_person_turns_the_switch") {
  host h;
  h.of.of.changes.clear();
  h.files.clear();
  cut_off found;
  found.stable_is_well = true;
  found.names = names(green);
  h.names = [] { return names(green); };
  h.run(start_over{h.now, found});
  REQUIRE(h.over);
  CHECK(name_of(h.over->how) == name_of(outcome::operator_took_over));
  CHECK(h.count("reload") == 0);
}

TEST_CASE("what_somebody_puts_there_during_the_test_is_not_reloaded") {
  host h;
  h.test = [&] {
    if (h.count("test") == 2) h.names = [] { return names(green); };
    return answer::yes;
  };
  h.roll_back();
  REQUIRE(h.over);
  CHECK(name_of(h.over->how) == name_of(outcome::operator_took_over));
  CHECK(h.count("reload") == 0);
}

TEST_CASE("a_proof_counts_for_nothing_where_a_person_has_turned_the_switch") {
  host h;
  h.at_look = [&](proof_look& seen) { seen.names = names(green); };
  h.roll_back();
  REQUIRE(h.over);
  CHECK(name_of(h.over->how) == name_of(outcome::operator_took_over));
  CHECK_FALSE(h.over->reached);
}

TEST_CASE("while_our_own_command_runs_what_the_switch_names_is_nobodys_word") {
  host h;
  h.of.reloads = false;
  h.of.of.changes = {command_change{.from = "green", .to = "blue"}};
  h.of.forward.new_workers_needed = false;
  h.instead_of_put = [](const put_change&) { return std::optional(put_result::kind::cant_tell); };
  h.at_look = [&](proof_look& seen) {
    seen.names = names(green);
    if (seen.door) seen.line = own_line{blue, answer::cant_tell, 200};
  };
  h.names = [&] { return names(green); };
  h.roll_back();
  REQUIRE(h.over);
  CHECK(name_of(h.over->how) == name_of(outcome::rolled_back));
  CHECK(h.over->reached == blue);
}

TEST_CASE("what_nginx_has_not_read_is_undone_without_a_reload") {
  host h;
  h.reloads = false;
  h.reload = answer::cant_tell;
  h.at_look = [](proof_look& seen) {
    seen.new_workers = answer::no;
    seen.old_gone = answer::no;
    if (seen.line) seen.line->slot = green;
  };
  h.roll_back();
  REQUIRE(h.over);
  CHECK(name_of(h.over->how) == name_of(outcome::undone));
  CHECK(h.files == std::vector<stands>{stands::before, stands::before});
  CHECK(h.count("reload") == 1);
  CHECK_MESSAGE(h.over->says.find("the reloader says so") != std::string::npos, h.over->says);
}

TEST_CASE("why_nginx_refuses_its_configuration_goes_along_when_leave_is_asked") {
  machine_state at;
  at.is = machine_state::phase::preflight;
  const plan of = two_files();
  for (const answer is : {answer::no, answer::yes, answer::cant_tell}) {
    const machine_stepped done = step(at, of, tested{is, "unexpected end of file", 1ms, {}});
    const auto asked = std::ranges::find_if(done.actions, [](const action& a) { return std::holds_alternative<ask_leave>(a); });
    REQUIRE(asked != done.actions.end());
    CHECK(std::get<ask_leave>(*asked).refused.empty() == (is != answer::no));
  }
}
