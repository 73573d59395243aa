#include "agent/incident/follow_up.hpp"

#include "agent/incident/book.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

using namespace flipback;
using namespace std::chrono_literals;
using namespace flipback::incident;
namespace asio = boost::asio;

namespace {

wall_time now() {
  return std::chrono::system_clock::now();
}

event of(std::string kind, const std::string& outcome = "", const std::string& id = "a") {
  event e{std::move(kind), severity::info, "", {}};
  if (!outcome.empty()) e.with("outcome", outcome);
  return id.empty() ? e : e.with("incident", id);
}

/// An agent with one rule, whose users meet with what the test says.
struct followed {
  asio::io_context loop;
  std::optional<users_met> met = users_met{{30, 100}, {0, 100}, {}};
  std::vector<duration> looked_back;
  std::vector<event> told;
  std::vector<event> recorded;
  duration live_for = 1h;
  follow_up by{loop,
               {[] { return std::vector<reading>{{"error-rate", 0.25, 0.05, unit::ratio}}; }, [this](instant, instant) { return met; },
                [this](instant from, instant to) {
                  looked_back.push_back(to - from);
                  return met;
                },
                [this] { return std::chrono::steady_clock::now() - live_for; }, [this](event e) { told.push_back(std::move(e)); },
                [this](const event& e, wall_time) { recorded.push_back(e); }}};

  /// It looks once.
  void look() {
    asio::cancellation_signal end;
    asio::co_spawn(loop, by.run(), asio::bind_cancellation_slot(end.slot(), asio::detached));
    loop.restart();
    loop.poll();
    end.emit(asio::cancellation_type::terminal);
    loop.poll();
  }
  void poll() {
    loop.restart();
    loop.poll();
  }
  std::string newest_value_of(const std::string& rule) {
    std::vector<incident::signal> all;
    for (const event& e : recorded) add_piece(all, e);
    const auto its = std::ranges::find(all, rule, &incident::signal::rule);
    if (its == all.end() || its->points.empty()) return "none";
    return its->points.back().value ? format_ratio(*its->points.back().value) : "not known";
  }
};

}  // namespace

TEST_CASE("a_turn_is_put_on_record_at_once_but_not_in_its_own_step") {
  followed f;
  f.by.take(of("incident.began"), now());
  CHECK(f.recorded.empty());
  f.poll();
  CHECK(f.newest_value_of("error-rate") == "25%");
  CHECK(f.newest_value_of(users_errors) == "30%");
  CHECK(std::ranges::count(f.recorded, "evidence.users", &event::kind) == 1);
  for (const event& e : f.recorded) CHECK(text_of(e, "incident") == "a");
  const std::size_t before = f.recorded.size();
  f.by.bring_up_to_date();
  CHECK(f.recorded.size() == before);  // nobody who reads it now would miss anything
}

TEST_CASE("without_a_request_it_is_not_known_how_many_failed") {
  followed f;
  f.met = users_met{};
  f.by.take(of("incident.began"), now());
  f.poll();
  CHECK(f.newest_value_of(users_errors) == "not known");
}

TEST_CASE("what_users_met_with_is_asked_for_the_two_minutes_before_the_decision") {
  followed f;
  f.by.take(of("rollback.decided"), now());
  REQUIRE(f.looked_back.size() == 1);
  CHECK(std::chrono::abs(f.looked_back[0] - duration(2min)) < 1s);
  f.by.take(of("rollback.closed", "rolled back"), now());
  f.look();
  CHECK(f.told.empty());  // that takes two minutes
}

TEST_CASE("what_users_met_with_before_the_cutover_is_of_another_release") {
  followed f;
  f.live_for = 20s;
  f.by.take(of("rollback.decided"), now());
  REQUIRE(f.looked_back.size() == 1);
  CHECK(std::chrono::abs(f.looked_back[0] - duration(20s)) < 1s);
}

TEST_CASE("a_rollback_that_another_one_follows_within_the_two_minutes_is_not_left_without_a_word") {
  followed f;
  f.by.take(of("rollback.decided"), now());
  f.by.take(of("rollback.closed", "rolled back"), now());
  f.by.take(of("rollback.decided", "", "b"), now());
  REQUIRE(f.told.size() == 1);
  CHECK(text_of(f.told[0], "incident") == "a");
  CHECK(f.told[0].says.ends_with("another rollback was decided meanwhile"));
}

TEST_CASE("an_agent_that_ends_puts_on_record_what_was_until_then_of_an_incident_that_is_open") {
  followed f;
  f.by.end();
  CHECK(f.recorded.empty());
  f.by.take(of("incident.began"), now());
  f.by.end();
  CHECK(f.newest_value_of("error-rate") == "25%");
}

TEST_CASE("a_rollback_that_an_earlier_life_has_not_measured_is_not_left_without_a_word") {
  const std::vector<happening> rolled_back{{now(), of("rollback.decided")}, {now(), of("rollback.closed", "rolled back")}};
  followed f;
  f.by.recall(rolled_back);
  f.look();
  REQUIRE(f.told.size() == 1);
  CHECK(text_of(f.told[0], "outcome") == "can't tell");
  CHECK(text_of(f.told[0], "incident") == "a");
  f.look();
  CHECK(f.told.size() == 1);
  followed measured;
  auto all = rolled_back;
  all.push_back({now(), of("deployment.helped", "helped")});
  measured.by.recall(all);
  measured.look();
  CHECK(measured.told.empty());
  followed undone;
  all = rolled_back;
  all.push_back({now(), of("rollback.closed", "undone", "b")});
  undone.by.recall(all);
  undone.look();
  CHECK(undone.told.empty());
}

TEST_CASE("a_rollback_that_was_recovered_can_not_be_measured_and_that_is_told") {
  followed f;
  f.by.take(of("rollback.recovered", "undone"), now());
  f.look();
  CHECK(f.told.empty());
  f.by.take(of("rollback.recovered", "rolled back", "b"), now());
  f.look();
  REQUIRE(f.told.size() == 1);
  CHECK(text_of(f.told[0], "incident") == "b");
}
