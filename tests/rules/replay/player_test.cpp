#include "rules/replay/player.hpp"

#include "rules/replay/record.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

using namespace flipback;
using namespace flipback::rules;
using namespace flipback::rules::replay;
using namespace std::chrono;

namespace {

constexpr instant start{hours(1000)};
constexpr wall_time on_the_wall{seconds(1795762000)};
const signal error_rate{"traffic.error_rate", signal_kind::ratio, unit::ratio, 15s, 0, "traffic.error_rate"};

rule_source rule_of(std::string when, consequence then = consequence::alert, nanoseconds hold = {}) {
  rule_source made;
  made.name = "mine";
  made.when = {std::move(when), {}};
  made.then = then;
  made.lasting = hold;
  return made;
}

/// What each breach of the rule would have led to, and each that is free: "30s rolls back, 40s blocked: held by ann".
std::string led_to(const std::vector<entry>& entries, rule_source by) {
  settings::diagnostics problems;
  player playing({std::move(by)}, problems);
  std::vector<std::string> told;
  const auto add = [&](const std::string& begin, const decision& d) {
    constexpr std::array<std::string_view, 5> kinds{"tells", "blocked", "withheld", "asks", "rolls back"};
    const auto since = duration_cast<milliseconds>(playing.wall(playing.now()) - on_the_wall);
    told.push_back(fmt::format("{}{} {}{}{}", begin, format_duration(since), kinds.at(static_cast<std::size_t>(d.is)),
                               d.why.empty() ? "" : ": ", d.why));
  };
  playing.on_freed = [&](std::size_t, const decision& d) { add("free: ", d); };
  const auto tell = [&](const change& c) {
    if (playing.rules()[c.rule].from.name != "mine" || c.to != verdict::breached) return;
    const auto what = playing.decide(c.rule, c.true_since.value_or(c.at));
    if (what) add("", *what);
  };
  for (const entry& e : entries) playing.take(e, tell);
  playing.end(tell);
  return fmt::format("{}", fmt::join(told, ", "));
}

/// "12s ok", the seconds since the begin, by the clock on the wall, and the verdict.
std::string played(const std::vector<entry>& entries, rule_source by) {
  settings::diagnostics problems;
  player playing({std::move(by)}, problems);
  std::vector<std::string> told;
  const auto tell = [&](const change& c) {
    if (playing.rules()[c.rule].from.name != "mine") return;
    const auto since = duration_cast<milliseconds>(playing.wall(c.at) - on_the_wall);
    told.push_back(fmt::format("{} {}", format_duration(since), name_of(c.to)));
  };
  for (const entry& e : entries) playing.take(e, tell);
  playing.end(tell);
  for (const settings::problem& p : problems.sorted()) told.push_back(to_string(p));
  return fmt::format("{}", fmt::join(told, ", "));
}

std::vector<entry> opening(bool continues = false, instant at = start, wall_time wall = on_the_wall) {
  return {beginning{at, wall, continues}, declared{7, error_rate}};
}

void add_traffic(std::vector<entry>& to, int from, int until, double errors) {
  for (int s = from; s < until; ++s) to.emplace_back(sampled{7, {start + seconds(s) - 1s, start + seconds(s), pooled{errors, 100}, false}});
}

}  // namespace

TEST_CASE("other_rules_judge_a_record_at_its_own_times") {
  auto entries = opening();
  add_traffic(entries, 1, 20, 0);
  add_traffic(entries, 20, 60, 10);
  const std::string when = "traffic.error_rate over 10s > 5%";
  CHECK(played(entries, rule_of(when)) == "1s ok, 25s breached");
  CHECK(played(entries, rule_of(when, consequence::alert, 20s)) == "1s ok, 25s pending, 45s breached");
  CHECK(played(entries, rule_of("traffic.error_rate over 10s > 50%")) == "1s ok");
}

TEST_CASE("what_a_rule_waits_for_comes_at_its_instant_between_two_samples") {
  auto entries = opening();
  add_traffic(entries, 1, 2, 10);
  entries.emplace_back(sampled{7, {start + 9s, start + 10s, pooled{10, 100}, false}});
  CHECK(played(entries, rule_of("traffic.error_rate over 1m > 5%", consequence::alert, 4500ms)) == "1s pending, 5.5s breached");
}

TEST_CASE("rollback_rules_begin_empty_at_a_recorded_cutover") {
  auto entries = opening();
  add_traffic(entries, 1, 30, 50);
  entries.emplace_back(cut_over{start + 30s});
  entries.emplace_back(window_changed{start + 30s, true});
  add_traffic(entries, 31, 60, 0);
  const auto told = played(entries, rule_of("traffic.error_rate over 20s > 20%", consequence::rollback));
  CHECK(told == "20s breached, 30s unknown, 50s ok");
}

TEST_CASE("a_condition_that_began_in_the_window_is_of_it_though_it_breaches_later") {
  settings::diagnostics problems;
  player playing({}, problems);
  auto entries = opening();
  entries.emplace_back(window_changed{start + 10s, true});
  entries.emplace_back(window_changed{start + 20s, false});
  add_traffic(entries, 21, 22, 0);
  for (const entry& e : entries) {
    playing.take(e, [](const change&) {});
    if (std::holds_alternative<window_changed>(e)) CHECK(playing.began_in_window(start + 15s));
  }
  CHECK(playing.began_in_window(start + 20s));
  CHECK_FALSE(playing.began_in_window(start + 21s));
  playing.take(opening(false, start)[0], [](const change&) {});  // a restart
  CHECK_FALSE(playing.began_in_window(start + 15s));
}

TEST_CASE("a_breach_leads_to_what_window_latch_and_hold_let_it") {
  const auto in_turn = [](std::vector<entry> between, bool has_window = true) {
    auto entries = opening();
    entries.emplace_back(cut_over{start});
    if (has_window) entries.emplace_back(window_changed{start, true});
    for (entry& e : between) {
      if (std::holds_alternative<hold_changed>(e) && std::get<hold_changed>(e).at == start) entries.push_back(std::move(e));
    }
    add_traffic(entries, 1, 10, 50);   // a breach
    add_traffic(entries, 10, 20, 0);   // its end
    add_traffic(entries, 20, 30, 50);  // another
    for (entry& e : between) {
      const bool is_late = !std::holds_alternative<hold_changed>(e) || std::get<hold_changed>(e).at > start;
      if (is_late) entries.push_back(std::move(e));
    }
    add_traffic(entries, 31, 40, 50);
    return led_to(entries, rule_of("traffic.error_rate over 4s > 20%", consequence::rollback));
  };
  const std::string already = "blocked: mine rolled this release back at 06:46:44 UTC already";
  CHECK(in_turn({}, false).starts_with("4s tells: no rollback window is open, "));
  CHECK(in_turn({}).starts_with("4s rolls back, 21s " + already));
  CHECK_FALSE(in_turn({}).contains("free"));
  CHECK(in_turn({unlatched{start + 30s}}).ends_with(", free: 30s rolls back"));
  CHECK(in_turn({hold_changed{start, "held by ann"}}) == "4s blocked: held by ann, 21s blocked: held by ann");
  CHECK(in_turn({hold_changed{start, "held by ann"}, hold_changed{start + 30s, ""}})
            .ends_with("21s blocked: held by ann, free: 30s rolls back"));
  // Whose hold ends after the window only tells.
  CHECK(in_turn({hold_changed{start, "held by ann"}, window_changed{start + 29s, false}, hold_changed{start + 30s, ""}}) ==
        "4s blocked: held by ann, 21s blocked: held by ann");
  // Another cutover begins all anew, one that is only told of again does not.
  CHECK(in_turn({cut_over{start + 30s, true}}).ends_with(", 34s rolls back"));
  CHECK_FALSE(in_turn({cut_over{start + 30s, false, true}}).ends_with("rolls back"));
}

TEST_CASE("after_a_reload_what_was_known_stays_after_a_restart_nothing_does") {
  for (const bool continues : {true, false}) {
    auto entries = opening();
    add_traffic(entries, 1, 6, 10);
    for (entry& e : opening(continues, start + 5500ms, on_the_wall + 5500ms)) entries.push_back(std::move(e));
    add_traffic(entries, 7, 9, 10);
    auto by = rule_of("traffic.error_rate over 1m > 5%", consequence::alert, 6s);
    CHECK(played(entries, by) == (continues ? "1s pending, 7s breached" : "1s pending, 7s pending"));
  }
}

TEST_CASE("a_past_that_is_told_again_after_a_reload_counts_once") {
  auto entries = opening();
  add_traffic(entries, 1, 6, 10);
  for (entry& e : opening(true, start + 5500ms, on_the_wall + 5500ms)) entries.push_back(std::move(e));
  add_traffic(entries, 1, 8, 10);
  CHECK(played(entries, rule_of("count(traffic.error_rate over 1m) > 699")) == "1s ok, 7s breached");
}

TEST_CASE("a_rule_on_what_was_not_recorded_is_said") {
  auto entries = opening();
  add_traffic(entries, 1, 3, 0);
  CHECK(played(entries, rule_of("trafic.error_rate over 1m > 5%")).contains("trafic.error_rate, which no probe gives; did you mean"));
}

TEST_CASE("a_record_gives_the_same_through_a_file_and_twice") {
  auto entries = opening();
  add_traffic(entries, 1, 200, 4);
  add_traffic(entries, 200, 500, 8);
  record_writer writer;
  for (const entry& e : entries) writer.write(e);
  const std::string file = std::string(magic) + writer.take();
  record_reader reader(file);
  const auto read = reader.next();
  REQUIRE(read.has_value());
  const auto by = rule_of("traffic.error_rate over 5m > 5%", consequence::alert, 1min);
  CHECK(played(*read, by) == played(entries, by));
  CHECK(played(entries, by) == "1s ok, 4m26s pending, 5m26s breached");
}
