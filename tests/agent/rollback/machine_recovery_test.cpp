// What is made of a rollback that was cut off.

#include "agent/rollback/machine.hpp"
#include "tests/agent/rollback/host.hpp"

using namespace flipback;
using namespace flipback::rollback;

TEST_CASE("recovery_never_leaves_files_mixed_and_says_what_users_reach") {
  const std::vector<stands> all{stands::before, stands::after, stands::foreign, stands::cant_tell};
  struct health {
    std::string name;
    bool well;
    bool has_release;
  };
  for (const stands first : all)
    for (const stands second : all)
      for (const bool undo_begun : {false, true})
        for (const health& stable : {health{"well", true, true}, health{"sick", false, true}, health{"another release", true, false}})
          for (const bool had_reloaded : {false, true}) {
            const std::vector<stands> found{first, second};
            const auto any = [&](stands what) { return has(found, what); };
            const bool all_before = first == stands::before && second == stands::before;
            CAPTURE(name_of(first));
            CAPTURE(name_of(second));
            CAPTURE(undo_begun);
            CAPTURE(stable.name);
            CAPTURE(had_reloaded);
            host h;
            h.files = found;
            h.runs = had_reloaded ? blue : green;
            h.recover(undo_begun, stable.well, stable.has_release);
            REQUIRE(h.over);
            CHECK_FALSE(h.mixed());
            for (std::size_t i = 0; i < 2; ++i) CHECK((h.files[i] == stands::foreign) == (found[i] == stands::foreign));
            CHECK(h.over->changed == !(all_before && !undo_begun));
            CHECK(h.changed_told == (h.over->changed ? 1 : 0));
            if (all_before && !undo_begun) {
              CHECK(h.over->how == outcome::nothing_changed);
              CHECK(h.did.empty());
            } else if (any(stands::foreign)) {
              CHECK(h.over->how == outcome::operator_took_over);
              CHECK_FALSE(has(h.files, stands::after));
            } else if (undo_begun || !stable.well || !stable.has_release) {
              CHECK(h.over->how == outcome::undone);
              CHECK(h.named() == green);
              CHECK(h.runs == green);
              CHECK(h.over->reached == green);
            } else {
              CHECK(h.over->how == outcome::rolled_back);
              CHECK(h.named() == blue);
              CHECK(h.runs == blue);
              CHECK(h.over->reached == blue);
            }
          }
}

TEST_CASE("what_is_somebody_else's_is_not_reloaded_where_nothing_of_ours_is_there") {
  host h;
  h.files = {stands::before, stands::foreign};
  h.recover();
  CHECK(h.over->how == outcome::operator_took_over);
  CHECK(h.count("reload") == 0);
  CHECK(h.over->says.find("somebody changed it") != std::string::npos);
}

TEST_CASE("a_recovery_goes_on_with_the_journal's_numbers") {
  host h;
  h.files = {stands::after, stands::after};
  h.recover();
  REQUIRE(!h.rows.empty());
  CHECK(h.rows.front().number == 4);
  CHECK_FALSE(h.wrote(row::kind::begun));
}

TEST_CASE("what_is_there_already_is_not_put_again") {
  host h;
  h.files = {stands::after, stands::before};
  h.recover();
  CHECK(h.count("put 0") == 0);
  CHECK(h.count("put 1") == 1);
  CHECK(h.over->how == outcome::rolled_back);
}

TEST_CASE("after_a_crash_nginx_refuses_its_configuration") {
  struct row_of {
    std::string name;
    std::vector<stands> files;
    std::optional<slot_number> runs;
    bool logs;
    bool well;
    outcome becomes;
    std::optional<slot_number> names;
    std::optional<slot_number> reached;
  };
  const stands b = stands::before;
  const stands a = stands::after;
  const std::vector<row_of> table{
      {"users are on the stable slot already", {a, a}, blue, true, true, outcome::unproven, blue, blue},
      {"users are on the failed slot still", {a, a}, green, true, true, outcome::undone, green, green},
      {"users are on the stable slot, one file behind", {a, b}, blue, true, true, outcome::unproven, blue, blue},
      {"it can't be told where users are", {a, a}, blue, false, true, outcome::unproven, blue, std::nullopt},
      {"to be restored, and users are on the failed slot", {a, a}, green, true, false, outcome::undone, green, green},
      {"to be restored, and users are on the stable slot", {a, a}, blue, true, false, outcome::unproven, blue, blue},
  };
  for (const row_of& r : table) {
    CAPTURE(r.name);
    host h;
    h.files = r.files;
    h.runs = r.runs;
    h.logs = r.logs;
    h.test = [] { return answer::no; };
    h.recover(false, r.well);
    REQUIRE(h.over);
    CHECK(name_of(h.over->how) == name_of(r.becomes));
    CHECK(h.named() == r.names);
    CHECK(h.over->reached == r.reached);
    CHECK(h.count("reload") == 0);
    CHECK_MESSAGE(h.over->says.find("nginx says so") != std::string::npos, h.over->says);
  }
}

TEST_CASE("after_a_crash_nginx_refuses_the_candidate_alone_and_nothing_tells_whom_users_reach") {
  host h;
  h.files = {stands::after, stands::after};
  h.runs = green;
  h.logs = false;
  h.test = [&h] { return h.files[0] == stands::before && h.files[1] == stands::before ? answer::yes : answer::no; };
  h.recover();
  REQUIRE(h.over);
  CHECK(h.over->how == outcome::undone);  // nginx can be reloaded again
  CHECK(h.named() == green);
}

TEST_CASE("nginx_takes_neither_and_a_file_is_somebody_else's") {
  host h;
  h.files = {stands::after, stands::foreign};
  h.test = [] { return answer::no; };
  h.recover();
  REQUIRE(h.over);
  CHECK(h.over->how == outcome::operator_took_over);
  CHECK(h.over->reached == green);
}

TEST_CASE("who_is_reached_is_looked_at_from_that_time_on") {
  // The reload that failed has left an emerg, which says nothing of who is reached now.
  host h;
  h.reloads = false;
  bool marked = false;
  h.test = [n = 0]() mutable { return ++n == 3 ? answer::no : answer::yes; };  // what was restored is refused
  h.at_look = [&](proof_look& seen) {
    marked = h.did.size() > 1 && std::ranges::count(h.did, "mark") > 1;
    if (!marked) seen.emerg = "[emerg] bind() failed";
  };
  h.roll_back();
  REQUIRE(h.over);
  CHECK(marked);
  CHECK(h.over->how == outcome::undone);
  CHECK(h.over->reached == green);
}

TEST_CASE("crashing_again_in_the_middle_of_recovery_changes_nothing") {
  // Cut off after each of its actions, and recovered again: it ends as it would have.
  for (const bool well : {true, false})
    for (int cut = 1; cut < 40; ++cut) {
      CAPTURE(well);
      CAPTURE(cut);
      host h;
      h.files = {stands::after, stands::before};
      int left = cut;
      bool undoing = false;
      for (bool crashed = true; crashed && !h.over;) {
        crashed = false;
        cut_off found;
        for (const stands s : h.files) found.changes.push_back({s, {}});
        found.undo_begun = undoing;
        found.stable_is_well = well;
        h.machine = {};
        std::optional<happening> next = start_over{h.now, found};
        while (next && !crashed) {
          machine_stepped done = step(std::move(h.machine), h.of, *next);
          h.machine = std::move(done.after);
          next.reset();
          for (const action& a : done.actions) {
            if (left > 0 && --left == 0) {
              crashed = true;
              break;
            }
            if (const auto* w = std::get_if<write_row>(&a)) undoing = undoing || w->what.is == row::kind::undoing;
            if (auto answered = h.perform(a)) next = std::move(answered);
          }
        }
        if (crashed) left = 0;
      }
      REQUIRE(h.over);
      CHECK_FALSE(h.mixed());
      if (h.over->how == outcome::nothing_changed) {
        CHECK(h.named() == green);
      } else {
        CHECK(h.over->how == (well ? outcome::rolled_back : outcome::undone));
        CHECK(h.named() == (well ? blue : green));
        CHECK(h.runs == (well ? blue : green));
      }
    }
}
