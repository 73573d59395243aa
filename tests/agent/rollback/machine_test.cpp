#include "agent/rollback/machine.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

using namespace flipback;
using namespace flipback::rollback;
using namespace std::chrono_literals;
using deployment::reply;

namespace {

constexpr slot_number blue = 0;   // to go back to
constexpr slot_number green = 1;  // live, and sick
using stands = change_state::kind;

plan two_files() {
  plan made;
  made.of.id = "1";
  made.of.from = {"green", "v2"};
  made.of.to = {"blue", "v1"};
  for (const char* path : {"/etc/nginx/a", "/etc/nginx/b"}) {
    file_change c;
    c.path = path;
    c.before.is = c.after.is = file_image::kind::regular;
    c.before.bytes = "green";
    c.after.bytes = "blue";
    made.of.changes.emplace_back(c);
  }
  made.forward.slot = made.back.other = blue;
  made.forward.other = made.back.slot = green;
  return made;
}

std::string name_of(stands s) {
  return std::vector<std::string>{"before", "after", "foreign", "can't tell"}.at(static_cast<std::size_t>(s));
}

bool has(const std::vector<stands>& files, stands what) {
  return std::ranges::find(files, what) != files.end();
}

/// A host in which a rollback is carried out: files that are whole or somebody else's, an nginx that reads them at a reload and that logs
/// whom it passes questions to, a journal. What goes wrong is set by the test.
struct host {
  plan of = two_files();
  machine_state machine{};
  std::vector<stands> files{stands::before, stands::before};
  std::optional<slot_number> runs = green;  ///< what nginx has read; nothing: files of both slots, or somebody else's
  instant now = instant{} + 100s;

  std::function<answer()> test = [] { return answer::yes; };
  answer reload = answer::yes;
  bool reloads = true;  ///< whether a reload is carried out, whatever is said of it
  bool logs = true;
  std::vector<std::string> troubles;  ///< of the rows that are waited for, one after the other
  std::function<std::optional<put_result::kind>(const put_change&)> instead_of_put = [](const put_change&) { return std::nullopt; };
  std::function<void(proof_look&)> at_look = [](proof_look&) {};
  bool give_leave = true;
  std::string stopped;

  std::vector<std::string> did;  ///< in words
  std::vector<row> rows;
  std::vector<event> told;
  int changed_told = 0;
  std::optional<ending> over;
  std::optional<instant> looked_first;

  [[nodiscard]] std::optional<slot_number> named() const {
    if (std::ranges::all_of(files, [](stands s) { return s == stands::before; })) return green;
    if (std::ranges::all_of(files, [](stands s) { return s == stands::after; })) return blue;
    return std::nullopt;
  }
  [[nodiscard]] bool mixed() const { return has(files, stands::before) && has(files, stands::after); }
  [[nodiscard]] auto count(const std::string& what) const { return std::ranges::count(did, what); }
  [[nodiscard]] bool wrote(row::kind k) const {
    return std::ranges::any_of(rows, [&](const row& r) { return r.is == k; });
  }

  put_result put(const put_change& p) {
    did.push_back(std::string(p.to == end::after ? "put " : "put back ") + std::to_string(p.change));
    if (const auto kind = instead_of_put(p)) {
      if (*kind == put_result::kind::cant_tell) files[p.change] = p.to == end::after ? stands::after : stands::before;
      return {*kind, "the disk says so"};
    }
    if (files[p.change] == stands::foreign) return {put_result::kind::foreign, "somebody changed it"};
    files[p.change] = p.to == end::after ? stands::after : stands::before;
    return {put_result::kind::done, {}};
  }

  proof_look look(const look_for_proof& how) {
    if (!looked_first) looked_first = now;
    now += std::max<duration>(how.in, 1ms);
    proof_look seen;
    seen.at = now;
    seen.new_workers = seen.old_gone = reloads ? answer::yes : answer::no;
    if (how.ask) {
      did.emplace_back("asked");
      seen.door = reply{reply::kind::anonymous, 200, {}, {}, "200"};
      if (logs) seen.line = own_line{runs, reloads ? answer::yes : answer::cant_tell, 200};
    }
    at_look(seen);
    return seen;
  }

  std::optional<happening> perform(const action& a) {
    if (const auto* w = std::get_if<write_row>(&a)) {
      rows.push_back(w->what);
      if (!w->awaited) return std::nullopt;
      did.emplace_back(w->what.is == row::kind::undoing ? "journal the undo" : "journal");
      std::string trouble;
      if (!troubles.empty()) {
        trouble = troubles.front();
        troubles.erase(troubles.begin());
      }
      return written{trouble};
    }
    if (std::holds_alternative<run_test>(a)) {
      did.emplace_back("test");
      return tested{test(), "nginx says so", 20ms};
    }
    if (std::holds_alternative<ask_leave>(a)) {
      did.emplace_back("ask leave");
      if (!stopped.empty()) return stop{stopped};
      if (give_leave) return leave{now};
      return std::nullopt;
    }
    if (const auto* p = std::get_if<put_change>(&a)) return put_done{put(*p)};
    if (std::holds_alternative<mark_nginx>(a)) did.emplace_back("mark");
    if (std::holds_alternative<reload_nginx>(a)) {
      did.emplace_back("reload");
      if (reloads) runs = named();
      return reloaded{reload, "the reloader says so", now};
    }
    if (const auto* l = std::get_if<look_for_proof>(&a)) return proof_looked{look(*l)};
    if (std::holds_alternative<tell_changed>(a)) {
      ++changed_told;
      did.emplace_back("changed");
    }
    if (const auto* t = std::get_if<tell_step>(&a)) told.push_back(t->what);
    if (const auto* f = std::get_if<finish>(&a)) over = f->how;
    return std::nullopt;
  }

  /// Until nothing is under way any more.
  host& run(happening first) {
    std::optional<happening> next = std::move(first);
    for (int steps = 0; next; ++steps) {
      if (steps > 20000) FAIL("it goes round in circles");
      machine_stepped done = step(std::move(machine), of, *next);
      machine = std::move(done.after);
      next.reset();
      for (const action& a : done.actions) {
        auto answered = perform(a);
        if (answered && next) FAIL("two things are under way at once");
        if (answered) next = std::move(answered);
      }
    }
    return *this;
  }
  host& roll_back() { return run(start{now}); }
  host& recover(bool undo_begun = false, bool well = true, bool has_release = true) {
    cut_off found;
    for (const stands s : files) found.changes.push_back({s, s == stands::foreign ? "somebody changed it" : ""});
    found.rows = 4;
    found.undo_begun = undo_begun;
    found.stable_is_well = well;
    found.stable_has_release = has_release;
    found.stable_says = well ? "it has v7" : "it answers 500";
    return run(start_over{now, found});
  }
};

auto says_no_after(int looks) {
  return [left = looks](proof_look& seen) mutable {
    if (left-- == 0) seen.emerg = "[emerg] bind() failed";
  };
}

}  // namespace

TEST_CASE("a_rollback_on_a_straight_road") {
  host h;
  h.roll_back();
  REQUIRE(h.over);
  CHECK(h.over->how == outcome::rolled_back);
  CHECK(h.over->changed);
  CHECK(h.over->reached == blue);
  CHECK(h.named() == blue);
  const std::vector<std::string> order{"journal", "test", "ask leave", "put 0", "changed", "put 1",
                                       "test",    "mark", "reload",    "asked", "asked",   "asked"};
  CHECK(h.did == order);
  REQUIRE(!h.rows.empty());
  CHECK(h.rows.front().is == row::kind::begun);
  CHECK(h.rows.front().of == h.of.of);  // what each file said before, and is to say
  CHECK(h.rows.back().is == row::kind::ended);
  for (std::size_t i = 0; i < h.rows.size(); ++i) CHECK(h.rows[i].number == i);
}

TEST_CASE("nothing_is_changed_before_leave_is_given") {
  host h;
  h.give_leave = false;
  h.roll_back();
  CHECK(h.count("put 0") == 0);
  CHECK(h.changed_told == 0);
  CHECK_FALSE(h.over);
  h.run(leave{h.now});
  CHECK(h.over->how == outcome::rolled_back);
}

TEST_CASE("stopped_before_its_first_change_it_changed_nothing") {
  host h;
  h.stopped = "held by ada";
  h.roll_back();
  REQUIRE(h.over);
  CHECK(h.over->how == outcome::nothing_changed);
  CHECK(h.over->says == "held by ada");
  CHECK_FALSE(h.over->changed);
  CHECK(h.changed_told == 0);
  CHECK(h.named() == green);
  CHECK(h.count("reload") == 0);
  // What comes afterwards changes nothing any more.
  h.run(leave{h.now});
  CHECK(h.count("put 0") == 0);
}

TEST_CASE("a_stop_that_comes_after_the_first_change_comes_too_late") {
  host h;
  h.give_leave = false;
  h.roll_back();
  machine_stepped begun = step(std::move(h.machine), h.of, leave{h.now});
  const machine_stepped stopped = step(begun.after, h.of, stop{"too late"});
  CHECK(stopped.actions.empty());
  CHECK(stopped.after.is == machine_state::phase::putting);
}

TEST_CASE("a_journal_that_can't_be_written_is_said_and_stops_nothing") {
  host h;
  h.troubles = {"no space left on device"};
  h.roll_back();
  CHECK(h.over->how == outcome::rolled_back);
  CHECK(h.over->says.find("unrecorded") != std::string::npos);
  const auto said =
      std::ranges::count_if(h.told, [](const event& e) { return e.severity == severity::critical && e.says.contains("unrecorded"); });
  CHECK(said == 1);
}

TEST_CASE("each_way_in_which_a_step_can_go") {
  using put_kind = put_result::kind;
  struct row_of {
    std::string name;
    std::function<void(host&)> goes;
    outcome becomes;
    std::optional<slot_number> names;  ///< what the switch names in the end
    std::optional<slot_number> reached;
    bool changed;
    const char* says;
  };
  const auto at_put = [](std::size_t change, end to, put_kind becomes) {
    return [=](host& h) {
      h.instead_of_put = [=](const put_change& p) { return p.change == change && p.to == to ? std::optional(becomes) : std::nullopt; };
    };
  };
  const std::vector<row_of> table{
      {"the first file can't be put", at_put(0, end::after, put_kind::failed), outcome::nothing_changed, green, std::nullopt, false,
       "the disk says so"},
      {"the first file is somebody else's", [](host& h) { h.files[0] = stands::foreign; }, outcome::operator_took_over, std::nullopt,
       std::nullopt, false, "somebody changed it"},
      {"the second file can't be put", at_put(1, end::after, put_kind::failed), outcome::undone, green, green, true, "the disk says so"},
      {"the second file is somebody else's", [](host& h) { h.files[1] = stands::foreign; }, outcome::operator_took_over, std::nullopt,
       green, true, "somebody changed it"},
      {"whether a file was put can't be told", at_put(1, end::after, put_kind::cant_tell), outcome::rolled_back, blue, blue, true,
       "the disk says so"},
      {"nginx refuses the candidate", [](host& h) { h.test = [n = 0]() mutable { return ++n == 2 ? answer::no : answer::yes; }; },
       outcome::undone, green, green, true, "nginx says so"},
      {"nginx refuses the candidate, as it did what was there before", [](host& h) { h.test = [] { return answer::no; }; }, outcome::undone,
       green, green, true, "as it did before"},
      {"the test can't be run", [](host& h) { h.test = [] { return answer::cant_tell; }; }, outcome::rolled_back, blue, blue, true,
       "fresh answers"},
      {"the reload command fails, and has reloaded all the same", [](host& h) { h.reload = answer::cant_tell; }, outcome::rolled_back, blue,
       blue, true, "fresh answers"},
      {"the reload says no, and has reloaded all the same", [](host& h) { h.reload = answer::no; }, outcome::rolled_back, blue, blue, true,
       "fresh answers"},
      {"nginx has reloaded nothing",
       [](host& h) {
         h.reloads = false;
         h.at_look = [&h](proof_look& seen) {
           if (h.count("put back 0") > 0) seen.new_workers = seen.old_gone = answer::yes;
         };
       },
       outcome::undone, green, green, true, "no new workers"},
      {"an emerg", [](host& h) { h.at_look = says_no_after(1); }, outcome::undone, green, green, true, "bind() failed"},
      {"the front door can't be reached",
       [](host& h) {
         h.at_look = [](proof_look& seen) {
           if (seen.door) seen.door = reply{};
           seen.line.reset();
         };
       },
       outcome::unproven, blue, std::nullopt, true, "does not tell"},
      {"workers in another container",
       [](host& h) { h.at_look = [](proof_look& seen) { seen.new_workers = seen.old_gone = answer::cant_tell; }; }, outcome::unproven, blue,
       blue, true, "can't be seen"},
      {"the undo's own proof can't tell",
       [](host& h) {
         h.at_look = [&h, no = says_no_after(0)](proof_look& seen) mutable {
           no(seen);
           if (h.count("put back 0") == 0) return;
           seen.door.reset();
           seen.line.reset();
         };
       },
       outcome::undone, green, std::nullopt, true, "bind() failed"},
      {"the undo's own proof says no", [](host& h) { h.at_look = [](proof_look& seen) { seen.emerg = "[emerg] bind() failed"; }; },
       outcome::not_undone, green, std::nullopt, true, "could not be undone"},
      {"neither file can be put back",
       [](host& h) {
         h.at_look = says_no_after(0);
         h.instead_of_put = [](const put_change& p) { return p.to == end::before ? std::optional(put_kind::failed) : std::nullopt; };
       },
       outcome::not_undone, blue, std::nullopt, true, "could not be put back"},
      {"one file can't be put back: the other is not left apart from it",
       [](host& h) {
         h.at_look = says_no_after(0);
         h.instead_of_put = [](const put_change& p) {
           return p.change == 0 && p.to == end::before ? std::optional(put_kind::failed) : std::nullopt;
         };
       },
       outcome::not_undone, blue, std::nullopt, true, "could not be put back"},
      {"somebody changes a file before the undo",
       [](host& h) {
         h.at_look = [&h, no = says_no_after(0)](proof_look& seen) mutable {
           if (h.count("put back 0") + h.count("put back 1") == 0) h.files[1] = stands::foreign;
           no(seen);
         };
       },
       outcome::operator_took_over, std::nullopt, std::nullopt, true, "somebody changed it"},
  };
  for (const row_of& r : table) {
    CAPTURE(r.name);
    host h;
    r.goes(h);
    h.roll_back();
    REQUIRE(h.over);
    CHECK(name_of(h.over->how) == name_of(r.becomes));
    CHECK(h.named() == r.names);
    CHECK(h.over->reached == r.reached);
    CHECK(h.over->changed == r.changed);
    CHECK(h.changed_told == (r.changed ? 1 : 0));
    CHECK_FALSE(h.mixed());
    CHECK_MESSAGE(h.over->says.find(r.says) != std::string::npos, h.over->says);
    CHECK(h.machine.is == machine_state::phase::over);
  }
}

TEST_CASE("an_undo_is_journaled_before_it_is_begun_and_reloads_only_what_was_reloaded") {
  host h;
  h.at_look = says_no_after(0);
  h.roll_back();
  const auto at = [&](const char* what) { return std::ranges::find(h.did, what) - h.did.begin(); };
  CHECK(at("journal the undo") < at("put back 1"));
  CHECK(at("put back 1") < at("put back 0"));  // the last first
  CHECK(h.count("reload") == 2);
  CHECK(h.wrote(row::kind::undoing));

  host refused;
  refused.test = [n = 0]() mutable { return ++n == 2 ? answer::no : answer::yes; };
  refused.roll_back();
  CHECK(refused.over->how == outcome::undone);
  CHECK(refused.count("reload") == 0);
}

TEST_CASE("a_proof_may_take_ten_seconds_or_three_tests") {
  host h;
  h.logs = false;
  h.roll_back();
  CHECK(h.over->how == outcome::unproven);
  CHECK(h.now - *h.looked_first >= 10s);
  CHECK(h.now - *h.looked_first < 10100ms);

  host slow;
  slow.logs = false;
  slow.give_leave = false;
  slow.roll_back();
  slow.machine.test_took = 8s;
  slow.run(leave{slow.now});
  CHECK(slow.now - *slow.looked_first >= 24s);
  CHECK(slow.now - *slow.looked_first < 24100ms);
}

TEST_CASE("a_command_that_takes_long_leaves_the_proof_its_time") {
  host h;
  h.of.reloads = false;
  h.of.forward.new_workers_needed = false;
  h.of.forward.within = 30s;
  h.of.of.changes = {command_change{"green", "blue"}};
  h.files = {stands::before};
  h.logs = false;
  h.instead_of_put = [&h](const put_change&) {
    h.now += 60s;  // switch_timeout
    h.runs = blue;
    return std::optional(put_result::kind::cant_tell);
  };
  // The front door tells at last, ten seconds after the command's end.
  h.at_look = [&h](proof_look& seen) {
    if (h.now - *h.looked_first > 10s && seen.door) seen.line = own_line{blue, answer::cant_tell, 200};
  };
  h.roll_back();
  CHECK(h.over->how == outcome::rolled_back);
  CHECK(h.count("test") == 0);
  CHECK(h.count("reload") == 0);
}

// After a crash.

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
