#include "agent/process/lasting.hpp"
#include "tests/agent/rollback/switches/configured.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <doctest/doctest.h>

#include <csignal>

namespace fs = std::filesystem;
using namespace flipback;
using namespace flipback::test;
using namespace std::chrono_literals;
using deployment::intent;
using rollback::change_state;
using rollback::command_change;
using rollback::end;
using rollback::put_result;

namespace {

/// A host whose live slot is what the file `live` says, and whose commands are scripts.
struct host : folder {
  host() {
    write("live", "green\n");
    script("active", "cat " + path("live"));
    for (config::slot& s : settings.slots) {
      script("to-" + s.name, "echo " + s.name + " > " + path("live"));
      s.switched_by = {path("to-" + s.name)};
    }
    settings.deployment->active = {path("active")};
    settings.deployment->switch_timeout = 5s;
    settings.nginx.conf = path("nginx.conf");
    settings.agent.state = path("flipback.db");
  }
  void script(const std::string& name, const std::string& does) const {
    // A new file each time: one that still runs must not be changed under its shell.
    fs::remove(at / name);
    write(name, "#!/bin/sh\n" + does + "\n");
    ::chmod(path(name).c_str(), 0755);
  }
  rollback::slot_switch& made() {
    kept = rollback::make_command_switch(loop.get_executor(), settings);
    return *kept;
  }
  void ask(rollback::slot_switch& s) {
    bool asked = false;
    boost::asio::co_spawn(loop, s.refresh(), [&](const std::exception_ptr&) { asked = true; });
    loop.restart();
    while (!asked && loop.run_one() > 0) {
    }
  }
  /// Lets the loop run until something is so; false where it never comes.
  bool until(const std::function<bool()>& so) {
    for (int tries = 0; tries < 500 && !so(); ++tries) {
      loop.restart();
      loop.run_for(10ms);
    }
    return so();
  }

  config::configuration settings = two_slots(config::switch_kind::command);
  boost::asio::io_context loop{1};
  std::unique_ptr<rollback::slot_switch> kept;
  const rollback::change to_blue = command_change{.from = "green", .to = "blue"};
};

}  // namespace

TEST_CASE("command_names_what_active_prints_and_nothing_else") {
  struct {
    std::string name, active;
    intent::kind is;
    std::string says;
  } const cases[] = {
      {"a name", "echo; echo ' green '", intent::kind::names, ""},
      {"a warning beside it", "echo 'WARN: obsolete' >&2; echo green", intent::kind::names, ""},
      {"another name", "echo purple", intent::kind::neither, "prints \"purple\", which is no slot's name"},
      {"more than a name", "echo green is live", intent::kind::neither, "prints \"green is live\""},
      {"another case", "echo Green", intent::kind::neither, "\"Green\""},
      {"nothing", "true", intent::kind::neither, "prints nothing, which is no slot's name"},
      {"very much", "yes green | head -c 100000", intent::kind::neither, "green green"},
      {"a failure", "echo green; echo no docker >&2; exit 3", intent::kind::unreadable, "ended with status 3 and wrote \"no docker"},
      {"a failure without a word", "exit 3", intent::kind::unreadable, "ended with status 3 and wrote nothing"},
  };
  for (const auto& c : cases) {
    CAPTURE(c.name);
    host h;
    h.script("active", c.active);
    auto& s = h.made();
    CHECK(s.names().is == intent::kind::unreadable);
    h.ask(s);
    CHECK(s.names().is == c.is);
    if (c.is == intent::kind::names) CHECK(s.names().named() == 1);
    CHECK(has(s.names().says, c.says));
    CHECK(s.names().says.size() < 1000);
  }
}

TEST_CASE("command_switches_there_and_back_without_a_reload") {
  host h;
  auto& s = h.made();
  CHECK_FALSE(s.changes_to(0).has_value());  // nothing is known yet
  h.ask(s);
  const auto all = changes(s, 0);
  REQUIRE(all.size() == 1);
  CHECK(std::get<command_change>(all[0]) == std::get<command_change>(h.to_blue));
  CHECK(result_of(h.loop, s.state_of(all[0])).is == change_state::kind::before);
  CHECK(result_of(h.loop, s.put(all[0], end::after)).is == put_result::kind::done);
  CHECK(h.text("live") == "blue\n");
  CHECK(s.names().named() == 0);
  CHECK(result_of(h.loop, s.state_of(all[0])).is == change_state::kind::after);
  CHECK(changes(s, 0).empty());
  CHECK(result_of(h.loop, s.put(all[0], end::before)).is == put_result::kind::done);
  CHECK(h.text("live") == "green\n");
  CHECK_FALSE(s.needs_reload());
  CHECK(s.locked_beside() == std::vector{h.path("nginx.conf")});
}

TEST_CASE("command_without_a_shell_takes_its_arguments_as_they_are") {
  host h;
  h.script("to-blue", "printf '%s|' \"$@\" > " + h.path("arguments") + "; echo blue > " + h.path("live"));
  h.settings.slots[0].switched_by = {h.path("to-blue"), "a b", "$HOME;", "*"};
  auto& s = h.made();
  CHECK(result_of(h.loop, s.put(h.to_blue, end::after)).is == put_result::kind::done);
  CHECK(h.text("arguments") == "a b|$HOME;|*|");
}

TEST_CASE("command_that_ended_while_the_old_slot_is_active_may_have_changed_something_all_the_same") {
  for (const std::string status : {"0", "7"}) {
    host h;
    h.script("to-blue", "echo no such container >&2; exit " + status);
    auto& s = h.made();
    const put_result r = result_of(h.loop, s.put(h.to_blue, end::after));
    CHECK(r.is == put_result::kind::in_vain);
    CHECK(r.says == "the command for blue ended with status " + status + " and wrote \"no such container\"; `active` still prints green");
  }
}

TEST_CASE("command_that_wrote_nothing_is_said_to_have_written_nothing") {
  host h;
  h.script("to-blue", "exit 7");
  CHECK(has(result_of(h.loop, h.made().put(h.to_blue, end::after)).says, "ended with status 7 and wrote nothing; `active` still prints"));
}

TEST_CASE("command_that_fails_and_switched_all_the_same_is_done") {
  host h;
  h.script("to-blue", "echo blue > " + h.path("live") + "; exit 1");
  CHECK(result_of(h.loop, h.made().put(h.to_blue, end::after)).is == put_result::kind::done);
}

TEST_CASE("command_after_which_active_says_something_else_can_t_tell") {
  host h;
  h.script("to-blue", "echo half > " + h.path("live"));
  const put_result r = result_of(h.loop, h.made().put(h.to_blue, end::after));
  CHECK(r.is == put_result::kind::in_vain);
  CHECK(has(r.says, "prints \"half\""));
}

TEST_CASE("command_is_not_begun_where_somebody_else_switched_or_nobody_knows") {
  host h;
  h.script("to-blue", "touch " + h.path("begun"));
  auto& s = h.made();
  h.write("live", "purple");
  CHECK(result_of(h.loop, s.put(h.to_blue, end::after)).is == put_result::kind::foreign);
  h.script("active", "exit 1");
  CHECK(result_of(h.loop, s.put(h.to_blue, end::after)).is == put_result::kind::failed);
  CHECK(result_of(h.loop, s.state_of(h.to_blue)).is == change_state::kind::cant_tell);
  CHECK_FALSE(fs::exists(h.path("begun")));
}

TEST_CASE("command_that_takes_long_goes_on_running_and_an_undo_waits_for_its_end") {
  host h;
  h.settings.deployment->switch_timeout = 200ms;
  h.script("to-blue", "while [ ! -e " + h.path("go") + " ]; do sleep 0.01; done; echo blue > " + h.path("live") + "; echo first >> " +
                          h.path("order"));
  h.script("to-green", "echo green > " + h.path("live") + "; echo second >> " + h.path("order"));
  auto& s = h.made();
  const put_result r = result_of(h.loop, s.put(h.to_blue, end::after));
  CHECK(r.is == put_result::kind::cant_tell);
  CHECK(has(r.says, "still runs"));
  CHECK(result_of(h.loop, s.state_of(h.to_blue)).is == change_state::kind::cant_tell);
  CHECK(has(together(s.obstacles()), "still runs"));
  // It has not ended, so nothing else is begun.
  const put_result too_early = result_of(h.loop, s.put(h.to_blue, end::before));
  CHECK(too_early.is == put_result::kind::failed);
  CHECK(has(too_early.says, "not begun"));
  CHECK_FALSE(fs::exists(h.path("order")));
  h.write("go", "");
  CHECK(h.until([&] { return result_of(h.loop, s.state_of(h.to_blue)).is == change_state::kind::after; }));
  CHECK(result_of(h.loop, s.put(h.to_blue, end::before)).is == put_result::kind::done);
  CHECK(h.text("order") == "first\nsecond\n");
}

TEST_CASE("command_an_undo_that_comes_while_the_first_still_runs_begins_once_it_has_ended") {
  host h;
  h.settings.deployment->switch_timeout = 300ms;
  h.script("to-blue", "sleep 0.45; echo blue > " + h.path("live") + "; echo first >> " + h.path("order"));
  h.script("to-green", "echo green > " + h.path("live") + "; echo second >> " + h.path("order"));
  auto& s = h.made();
  CHECK(result_of(h.loop, s.put(h.to_blue, end::after)).is == put_result::kind::cant_tell);
  CHECK(result_of(h.loop, s.put(h.to_blue, end::before)).is == put_result::kind::done);
  CHECK(h.text("order") == "first\nsecond\n");
}

TEST_CASE("command_that_runs_on_when_its_switch_is_gone_is_not_broken_by_that_and_the_next_switch_waits_for_it") {
  host h;
  h.settings.deployment->switch_timeout = 200ms;
  h.script("to-blue", "while [ ! -e " + h.path("go") + " ]; do sleep 0.01; done; echo loud && echo blue > " + h.path("live"));
  CHECK(result_of(h.loop, h.made().put(h.to_blue, end::after)).is == put_result::kind::cant_tell);
  h.kept.reset();
  auto& next = h.made();
  CHECK(has(together(next.obstacles()), "still runs (process"));
  const change_state still = result_of(h.loop, next.state_of(h.to_blue));
  CHECK(still.is == change_state::kind::cant_tell);
  CHECK(has(still.says, "still runs"));
  CHECK(has(result_of(h.loop, next.put(h.to_blue, end::before)).says, "not begun"));
  h.write("go", "");
  CHECK(h.until([&] { return result_of(h.loop, next.state_of(h.to_blue)).is == change_state::kind::after; }));
  CHECK(next.obstacles().empty());
  h.kept.reset();
  CHECK_FALSE(fs::exists(h.path("flipback.command")));
}

TEST_CASE("command_a_note_of_what_does_not_run_any_more_is_no_running_command") {
  host h;
  for (const std::string& note : std::vector<std::string>{"", "x", "0 0 0\n", "-1 5 here\n", "999999999 5 here\n", "1 5 another-boot\n",
                                                          "1 1 \n", "1 999999999999 " + process::boot_id() + "\n"}) {
    CAPTURE(note);
    h.write("flipback.command", note);
    auto& s = h.made();
    h.ask(s);
    CHECK(s.obstacles().empty());
    CHECK(result_of(h.loop, s.state_of(h.to_blue)).is == change_state::kind::before);
  }
}

TEST_CASE("command_that_writes_without_end_is_kept_to_a_bound") {
  host h;
  h.settings.deployment->switch_timeout = 100ms;
  h.script("to-blue", "yes | head -c 50000000; touch " + h.path("wrote") + "; sleep 0.2; exit 7");
  auto& s = h.made();
  (void)result_of(h.loop, s.put(h.to_blue, end::after));
  CHECK(h.until([&] { return s.obstacles().empty(); }));
  CHECK(fs::exists(h.path("wrote")));
}

TEST_CASE("command_that_can_t_be_started_is_said_before_and_at_the_put") {
  host h;
  h.settings.slots[0].switched_by = {"/no/such/program"};
  h.settings.slots[1].switched_by = {};
  auto& s = h.made();
  const std::string all = together(s.obstacles());
  CHECK(has(all, "slots.blue.switch is /no/such/program"));
  CHECK(has(all, "slots.green.switch is missing"));
  CHECK_FALSE(has(all, "active"));
  CHECK(result_of(h.loop, s.put(h.to_blue, end::after)).is == put_result::kind::failed);
  h.ask(s);
  CHECK_FALSE(s.changes_to(1).has_value());
}

TEST_CASE("command_whose_active_prints_no_slots_name_is_said_with_what_is_expected") {
  host h;
  h.script("active", "echo 'active: green'");
  auto& s = h.made();
  h.ask(s);
  const std::string all = together(s.obstacles());
  CHECK(has(all, "prints \"active: green\", which is no slot's name"));
  CHECK(has(all, "let it print the name of the slot that is live, blue or green, and nothing else"));
  h.script("active", "echo green");
  h.ask(s);
  CHECK(together(s.obstacles()).empty());
}

TEST_CASE("command_that_is_the_same_for_both_is_refused") {
  host h;
  h.settings.slots[0].switched_by = h.settings.slots[1].switched_by;
  auto& s = h.made();
  h.ask(s);
  CHECK(has(together(s.obstacles()), "switched to by the same command"));
  CHECK_FALSE(s.changes_to(0).has_value());
}

TEST_CASE("command_an_answer_of_active_that_is_too_old_is_none") {
  host h;
  instant now = std::chrono::steady_clock::now();
  const auto s = rollback::make_command_switch(h.loop.get_executor(), h.settings, [&] { return now; });
  h.ask(*s);
  now += 2 * rollback::active_asked_every;
  CHECK(s->names().named() == 1);
  now += 1ms;
  CHECK(s->names().is == intent::kind::unreadable);
  CHECK(has(s->names().says, "gave its last answer 10 s ago"));
  CHECK_FALSE(s->changes_to(0).has_value());
  h.ask(*s);
  CHECK(s->names().named() == 1);
}

TEST_CASE("command_why_active_gave_no_answer_is_said_for_as_long_as_it_gives_none") {
  host h;
  h.script("active", "exit 3");
  instant now = std::chrono::steady_clock::now();
  const auto s = rollback::make_command_switch(h.loop.get_executor(), h.settings, [&] { return now; });
  h.ask(*s);
  now += 3 * rollback::active_asked_every;
  CHECK(s->names().is == intent::kind::unreadable);
  CHECK(has(s->names().says, "ended with status 3"));
}

TEST_CASE("command_an_active_that_hangs_is_ended_and_names_nothing") {
  host h;
  auto& s = h.made();
  h.ask(s);
  h.script("active", "sleep 60");
  h.ask(s);
  CHECK(s.names().is == intent::kind::unreadable);
  CHECK(has(s.names().says, "did not end within 5 s"));
}

TEST_CASE("command_without_active_runs_and_leaves_it_to_the_proof_whether_it_worked") {
  host h;
  h.settings.deployment->active.clear();
  h.settings.deployment->effect_is_intent = true;
  auto& s = h.made();
  h.ask(s);
  CHECK(s.names().is == intent::kind::unreadable);
  CHECK(together(s.obstacles()).empty());
  const auto all = changes(s, 0);
  REQUIRE(all.size() == 1);
  CHECK(std::get<command_change>(all[0]) == std::get<command_change>(h.to_blue));
  CHECK(result_of(h.loop, s.state_of(all[0])).is == change_state::kind::cant_tell);
  CHECK(result_of(h.loop, s.put(all[0], end::after)).is == put_result::kind::done);
  CHECK(h.text("live") == "blue\n");
  CHECK(result_of(h.loop, s.put(all[0], end::before)).is == put_result::kind::done);
  CHECK(h.text("live") == "green\n");
  h.script("to-blue", "echo no such container >&2; exit 7");
  const put_result failed = result_of(h.loop, s.put(all[0], end::after));
  CHECK(failed.is == put_result::kind::in_vain);
  CHECK(has(failed.says, "ended with status 7 and wrote \"no such container\""));
}
