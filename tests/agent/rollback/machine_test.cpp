#include "agent/rollback/machine.hpp"

#include "tests/agent/rollback/host.hpp"

using namespace flipback;
using namespace flipback::rollback;

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

TEST_CASE("of_a_file_of_which_it_can_not_be_told_whether_it_was_put_no_step_says_that_it_was") {
  host h;
  h.instead_of_put = [](const put_change& p) {
    return p.change == 1 ? std::optional(rollback::put_result::kind::cant_tell) : std::nullopt;
  };
  h.roll_back();
  const auto install = std::ranges::find_if(h.told, [](const event& e) { return e.says.starts_with("install: "); });
  REQUIRE(install != h.told.end());
  CHECK(install->says.starts_with("install: can't tell"));
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
       outcome::unproven, blue, std::nullopt, true, "it can't be told which slot users reach"},
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
  CHECK_FALSE(refused.over->says.contains("held what is"));
  host named;
  named.test_says = "[emerg] unknown directive in /etc/nginx/b:12";
  named.test = [n = 0]() mutable { return ++n == 2 ? answer::no : answer::yes; };
  named.roll_back();
  CHECK(named.over->says == "[emerg] unknown directive in /etc/nginx/b:12 (/etc/nginx/b held what is blue's)");
  host other;
  other.test_says = "[warn] old directive in /etc/nginx/b:5\n[emerg] unknown directive in /etc/nginx/other:2";
  other.test = [n = 0]() mutable { return ++n == 2 ? answer::no : answer::yes; };
  other.roll_back();
  CHECK_FALSE(other.over->says.contains("held what is"));
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
