#include "agent/incident/evidence.hpp"

#include "agent/event_lines.hpp"
#include "agent/incident/book.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace flipback;
using namespace std::chrono_literals;
using namespace flipback::incident;

namespace {

const wall_time noon{std::chrono::seconds(1'700'000'000)};

event of(const std::string& id, std::string kind) {
  event e{std::move(kind), severity::info, "", {}};
  return id.empty() ? e : e.with("incident", id);
}

traces filled(int readings, wall_time first = noon) {
  traces t;
  for (int i = 0; i < readings; ++i) t.take({{"error-rate", i / 100.0, 0.05, unit::ratio}}, first + i * 5s);
  return t;
}

std::size_t points_in(const std::vector<event>& told) {
  std::vector<incident::signal> all;
  for (const event& e : told) add_piece(all, e);
  return all.empty() ? 0 : all.front().points.size();
}

}  // namespace

TEST_CASE("nothing_is_put_on_record_without_an_incident") {
  evidence e;
  CHECK_FALSE(e.take(of("", "deployment.cutover"), noon));
  CHECK_FALSE(e.is_due(noon + 1h));
  CHECK(e.pieces(filled(100), users_met{}, noon).empty());
}

TEST_CASE("an_incident_has_the_ten_minutes_before_it_and_each_point_once") {
  evidence e;
  const traces t = filled(240);  // twenty minutes
  const wall_time began = noon + 15min;
  CHECK(e.take(of("a", "incident.began"), began));
  CHECK(e.is_due(began));
  CHECK(points_in(e.pieces(t, users_met{}, began)) == 240 - 5 * 12 - 1);  // those that came after, too: the traces know them; (5 min, …]
  CHECK_FALSE(e.is_due(began + 4min));
  CHECK(e.is_due(began + 5min));
}

TEST_CASE("pieces_follow_each_other_until_five_minutes_after_the_end") {
  evidence e;
  traces t = filled(60);
  e.take(of("a", "incident.began"), noon + 5min);
  CHECK(e.is_behind(noon + 5min));
  CHECK(points_in(e.pieces(t, users_met{}, noon + 5min)) == 60);
  CHECK_FALSE(e.is_behind(noon + 5min + 59s));
  CHECK(e.is_behind(noon + 6min));
  CHECK(points_in(e.pieces(t, users_met{}, noon + 5min)) == 0);
  t.take({{"error-rate", 1.0, 0.05, unit::ratio}}, noon + 6min);
  CHECK(e.take(of("a", "rollback.decided"), noon + 6min));
  CHECK(points_in(e.pieces(t, users_met{}, noon + 6min)) == 1);
  CHECK(e.take(of("a", "incident.ended"), noon + 7min));
  e.pieces(t, users_met{}, noon + 7min);
  CHECK_FALSE(e.is_behind(noon + 7min + 59s));
  CHECK(e.is_behind(noon + 8min));
  CHECK_FALSE(e.is_due(noon + 7min + 1s));
  CHECK(e.is_due(noon + 12min));
  CHECK_FALSE(e.pieces(t, users_met{}, noon + 12min).empty());
  CHECK(e.pieces(t, users_met{}, noon + 13min).empty());
}

TEST_CASE("what_is_told_late_of_an_incident_that_is_over_follows_nothing") {
  evidence e;
  e.take(of("a", "deployment.helped"), noon);
  CHECK_FALSE(e.is_behind(noon));
  e.take(of("b", "incident.began"), noon);
  CHECK_FALSE(e.take(of("a", "deployment.helped"), noon));
  CHECK(e.take(of("b", "deployment.helped"), noon));
  for (const event& told : e.pieces(filled(3), users_met{}, noon)) CHECK(text_of(told, "incident") == "b");
}

TEST_CASE("what_is_put_on_record_reads_back_the_same") {
  evidence e;
  e.take(of("a", "incident.began"), noon);
  traces t;
  t.take({{"latency", 0.25, 1.0, unit::seconds}, {"down", std::nullopt, std::nullopt, unit::number}}, noon);
  t.take({{"latency", std::nullopt, std::nullopt, unit::number}, {"down", std::numeric_limits<double>::infinity(), 3.0, unit::number}},
         noon + 5s);
  std::vector<incident::signal> all;
  std::optional<users_met> met;
  for (const event& told : e.pieces(t, users_met{{3, 40}, {2, 39}, 0.125}, noon + 5s)) {
    const auto read = event_in(json_line(told, noon));
    REQUIRE(read);
    add_piece(all, *read);
    if (const auto users = users_in(*read)) met = users;
  }
  REQUIRE(all.size() == 2);
  CHECK(all[1].rule == "latency");
  CHECK(all[1].in == unit::seconds);
  CHECK(all[1].threshold == 1.0);
  REQUIRE(all[1].points.size() == 2);
  CHECK(all[1].points[0].at == 1'700'000'000'000);
  CHECK(all[1].points[0].value == 0.25);
  CHECK_FALSE(all[1].points[1].value);
  CHECK_FALSE(all[0].points[1].value);
  REQUIRE(met);
  CHECK(as_text(*met) == "7.5% of 40 requests failed, 5.13% of 39 were slow, P95 125ms");
  CHECK(met->slow.denominator == 39);
}

TEST_CASE("a_piece_that_is_damaged_adds_nothing_and_hurts_nobody") {
  std::vector<incident::signal> all;
  for (const char* points : {"", "[", "{}", "[1,2]", "[[1]]", "[[\"a\",1]]", "[[1,2,3]]", "[[1e400,1]]", "[[9223372036854775807,0.5]]",
                             "[[-9223372036854775808,0.5]]"}) {
    event e{"evidence.rule", severity::debug, "", {}};
    CHECK(add_piece(all, e.with("rule", std::string("x")).with("points", std::string(points))));
  }
  REQUIRE(all.size() == 1);
  CHECK(all.front().points.empty());
  CHECK_FALSE(add_piece(all, of("a", "verdict.changed")));
  CHECK_FALSE(users_in(of("a", "verdict.changed")));
}

TEST_CASE("letters_that_come_long_after_the_end_follow_nothing") {
  evidence e;
  for (const char* kind : {"notify.told", "notify.failed", "notify.mended", "notify.given_up"}) {
    CHECK_FALSE(e.take(of("a", kind), noon));
    CHECK_FALSE(e.is_open());
  }
  e.take(of("b", "incident.began"), noon);
  e.take(of("a", "notify.told"), noon);
  for (const event& told : e.pieces(filled(3), users_met{}, noon)) CHECK(text_of(told, "incident") == "b");
}

TEST_CASE("a_clock_that_is_set_back_hides_nothing_and_draws_nothing_twice") {
  evidence e;
  e.take(of("a", "incident.began"), noon + 1h);
  e.pieces(filled(3, noon + 1h), users_met{}, noon + 1h);
  CHECK(e.is_due(noon));
  e.pieces(filled(3), users_met{}, noon);
  CHECK_FALSE(e.is_due(noon + 1min));
  CHECK(e.is_due(noon + 5min));
  std::vector<incident::signal> all;
  event piece{"evidence.rule", severity::debug, "", {}};
  piece.with("rule", std::string("x")).with("points", std::string("[[10,0.5],[20,0.5]]"));
  add_piece(all, piece);
  add_piece(all, piece);
  CHECK(all.front().points.size() == 2);
}

TEST_CASE("where_nobody_counts_users_requests_nothing_is_said_of_them") {
  evidence e;
  e.take(of("a", "incident.began"), noon);
  for (const event& told : e.pieces(filled(3), std::nullopt, noon)) CHECK(told.kind == "evidence.rule");
}

TEST_CASE("a_breach_is_a_turning_point_and_other_verdicts_are_none") {
  evidence e;
  e.take(of("a", "incident.began"), noon);
  const auto verdict = [](const char* to, const char* then) {
    return of("a", "verdict.changed").with("to", std::string(to)).with("then", std::string(then));
  };
  CHECK(e.take(verdict("breached", "rollback"), noon));
  CHECK_FALSE(e.take(verdict("pending", "rollback"), noon));
  CHECK_FALSE(e.take(verdict("breached", "alert"), noon));
}
