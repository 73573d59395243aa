#include "agent/rollback/shell.hpp"

#include "tests/agent/deployment/fakes.hpp"
#include "tests/agent/rollback/switches/configured.hpp"

#include <doctest/doctest.h>

using namespace flipback;
using namespace flipback::test;
using rollback::outcome;

namespace {

/// A front door and slots that are well, and say nothing of themselves.
struct silent_prober final : rollback::prober {
  asio::awaitable<asked> ask() override { co_return asked{}; }
  asio::awaitable<deployment::slot_reply> ask_slot(rollback::slot_number /*which*/) override {
    deployment::slot_reply well;
    well.well = true;
    co_return well;
  }
};

struct host : folder {
  explicit host(const std::string& live) {
    write("blue", "blue's\n");
    write("green", "green's\n");
    write("live", live);
    settings.deployment->live_files = {{path("live"), {path("blue"), path("green")}}};
  }

  /// One life of the agent: a rollback from green to blue to its end, or what the one before left.
  struct life {
    explicit life(host& of)
        : by(rollback::make_site_switch(of.settings)),
          written(of.path("flipback.journal"), rollback::make_disk()),
          shell(loop, {{"blue", "green"}, 1, std::chrono::milliseconds(20)}, {*by, nginx, written, proofs}) {}

    rollback::ending carry_out(deployment::attempt what) {
      deployment::tracking known;
      known.slots.resize(2);
      rollback::shell::listener to;
      to.prepared = [this, id = what.id](const std::string&) { asio::post(loop, [this, id] { shell.leave(id); }); };
      to.changed = [] {};
      to.tell = [](const event&) {};
      auto how = result_of(loop, shell.carry_out(std::move(what), known, std::move(to)));
      REQUIRE(how.has_value());
      return *how;
    }
    void forget(const std::string& id) {
      const auto forgotten = result_of(loop, shell.forget(id));
      REQUIRE_MESSAGE(forgotten.has_value(), forgotten.error());
    }

    asio::io_context loop{1};
    testing::fake_nginx nginx;
    silent_prober proofs;
    std::unique_ptr<rollback::slot_switch> by;
    rollback::journal written;
    rollback::shell shell;
  };

  [[nodiscard]] std::string kept() const {
    for (const std::string& name : names("flipback.incidents")) return text("flipback.incidents/" + name + path("live"));
    return "nothing";
  }

  config::configuration settings = two_slots(config::switch_kind::site);
};

deployment::attempt to_blue() {
  deployment::attempt made;
  made.id = "1";
  made.from.slot = 1;
  made.to.slot = 0;
  return made;
}

}  // namespace

TEST_CASE("what_a_live_file_said_before_it_was_changed_is_kept_when_the_journal_forgets_the_attempt") {
  host h("edited by hand\n");
  host::life now(h);
  REQUIRE(now.written.read().has_value());
  CHECK(now.carry_out(to_blue()).changed);
  CHECK(h.text("live") == "blue's\n");
  now.forget("1");
  CHECK(h.kept() == "edited by hand\n");
  CHECK(has(now.shell.kept(), h.path("live")));
}

TEST_CASE("room_is_made_beside_the_live_file_and_in_the_journal_and_is_enough_for_an_attempt") {
  host h(std::string(300'000, 'x'));
  host::life now(h);
  REQUIRE(now.written.read().has_value());
  REQUIRE(result_of(now.loop, now.shell.stage(0)).has_value());
  CHECK(h.names().contains(".live.flipback-room"));
  const auto room = fs::file_size(h.path("flipback.journal"));
  CHECK(room > 400'000);
  deployment::attempt what = to_blue();
  what.why.reason = std::string(4096, '\x01');  // the longest that a person may say, and the longest that it becomes
  CHECK(now.carry_out(what).changed);
  CHECK(fs::file_size(h.path("flipback.journal")) == room);
  REQUIRE(result_of(now.loop, now.shell.stage(std::nullopt)).has_value());
  CHECK_FALSE(h.names().contains(".live.flipback-room"));
}

TEST_CASE("without_room_for_the_journal_that_is_told") {
  host h("green's\n");
  h.write("flipback.journal", "spoilt");
  host::life now(h);
  const auto made = result_of(now.loop, now.shell.stage(0));
  REQUIRE_FALSE(made.has_value());
  CHECK(has(made.error(), h.path("flipback.journal")));
}

TEST_CASE("it_is_kept_after_a_crash_right_after_the_change_too") {
  host h("edited by hand\n");
  {
    host::life before(h);
    REQUIRE(before.written.read().has_value());
    rollback::row begun;
    begun.of = {.id = "1",
                .from = {"green", ""},
                .to = {"blue", ""},
                .rule = {},
                .why = {},
                .by = {},
                .begun = {},
                .changes = changes(*before.by, 0)};
    REQUIRE(result_of(before.loop, before.written.write(begun)).has_value());
    put_all(*before.by, begun.of.changes, rollback::end::after);
  }
  host::life again(h);
  const auto found = again.shell.cut_off({"blue", "green"});
  REQUIRE(found.has_value());
  REQUIRE(found->has_value());
  CHECK(again.carry_out(**found).changed);
  again.forget("1");
  CHECK(h.kept() == "edited by hand\n");
}
