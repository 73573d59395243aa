// What the built-in rules do on incidents around a cutover: the real rules, told by the second through the player that replays records.
//
// usage: judged RUNS [NAME]    (runs of each incident and rate; a quarter of them at 100 requests a second; NAME: of these incidents alone)
// prints: a line an incident; for each rate rolled back %, @ median second, ? asked instead %, | what "> 5% for 5m" read literally would
// have
//         done %, ! where the goal of semantics is missed: where the 95% bound of a share, or a median second, lies beyond it

#include "rules/replay/player.hpp"
#include "tests/bench/is_beyond.hpp"
#include "tests/bench/judged_incidents.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

using namespace flipback;
using namespace flipback::judged;
using std::chrono::seconds;

namespace {

struct ending {
  std::optional<int> rolled_back;  ///< seconds after the cutover
  bool asked = false;
  bool literally = false;  ///< a rule as Prometheus' users write it would have
};

rules::rule_source literal(const std::string& of) {
  rules::rule_source made;
  made.name = "literal";
  made.when.text = of + " over 1m > 5%";
  made.lasting = std::chrono::minutes(5);
  made.then = rules::consequence::rollback;
  made.partial = true;
  return made;
}

/// One run: what a rollback rule would have done, were it not for a person or for what only a deployment knows.
ending judge(const incident& of, double rate, chance& by) {
  settings::diagnostics problems;
  const std::string name = of.slow ? "traffic.slow_rate" : "traffic.error_rate";
  rules::replay::player told({literal(name)}, problems);
  const auto nothing = [](const rules::change&) {};
  const auto at = [](int second) { return instant(seconds(100'000 + second)); };
  told.take(rules::replay::entry(rules::replay::beginning{at(-of.watched), {}}), nothing);
  told.take(rules::replay::entry(rules::replay::declared{1, {name, signal_kind::ratio, unit::ratio, seconds(15), 0, name}}), nothing);
  told.take(
      rules::replay::entry(rules::replay::declared{2, {"stable.up", signal_kind::outcome, unit::number, seconds(15), 0, "stable.up"}}),
      nothing);
  const counts all = of.happens(rate, by);
  ending found;
  for (int s = -of.watched; s < after; ++s) {
    if (s == 0) {
      told.take(rules::replay::entry(rules::replay::cut_over{at(0)}), nothing);
      told.take(rules::replay::entry(rules::replay::window_changed{at(0), true}), nothing);
    }
    const pooled& now = all[static_cast<std::size_t>(s + before)];
    told.take(rules::replay::entry(rules::replay::sampled{1, {at(s), at(s + 1), now, now.denominator == 0}}), nothing);
    told.judge_now(nothing);
    if (s < 0) continue;
    for (std::size_t rule = 0; rule < told.rules().size(); ++rule) {
      const auto act = told.would_act(rule).first;
      if (told.rules()[rule].from.name == "literal")
        found.literally = found.literally || act != rules::acting::no;
      else if (act == rules::acting::asks)
        found.asked = true;
      else if (act == rules::acting::yes && !found.rolled_back)
        found.rolled_back = s + 1;
    }
    if (found.rolled_back && found.literally) break;
  }
  return found;
}

bool misses(const incident& of, std::size_t cell, double rolled_back, double runs, std::optional<int> median) {
  const double goal = of.aim.share[cell] / 100;
  if (of.aim.share[cell] >= 0 && of.is == must::be_found && is_beyond(rolled_back, runs, goal, false)) return true;
  if (of.aim.share[cell] >= 0 && of.is != must::be_found && is_beyond(rolled_back, runs, goal, true)) return true;
  return of.aim.seconds[cell] >= 0 && median && *median > of.aim.seconds[cell];
}

}  // namespace

int main(int argc, char** argv) {
  const int runs = argc > 1 ? std::atoi(argv[1]) : 0;
  if (runs < 4) return 2;
  bool missed = false;
  fmt::print("{:55}", "");
  for (const double rate : rates) fmt::print("{:>20}", fmt::format("{:g}/s   ", rate));
  fmt::print("\n");
  for (const incident& of : all_incidents()) {
    if (argc > 2 && !of.name.contains(argv[2])) continue;
    fmt::print("{:55}", of.name);
    for (std::size_t cell = 0; cell < rates.size(); ++cell) {
      const int so_many = cell == 3 ? runs / 4 : runs;
      std::vector<int> when;
      int asked = 0;
      int literally = 0;
      for (int run = 0; run < so_many; ++run) {
        chance by(static_cast<std::uint64_t>(run) * 1000 + cell);
        const ending e = judge(of, rates[cell], by);
        if (e.rolled_back) when.push_back(*e.rolled_back);
        asked += !e.rolled_back && e.asked ? 1 : 0;
        literally += e.literally ? 1 : 0;
      }
      std::ranges::sort(when);
      const std::optional<int> median = when.empty() ? std::nullopt : std::optional(when[when.size() / 2]);
      const auto n = static_cast<double>(so_many);
      const bool misses_it = misses(of, cell, static_cast<double>(when.size()), n, median);
      missed = missed || misses_it;
      fmt::print("  {:3.0f}{:>5}{:>5} |{:>3.0f}{}", 100 * static_cast<double>(when.size()) / n, median ? fmt::format("@{}", *median) : "",
                 asked > 0 ? fmt::format("?{:.0f}", 100.0 * asked / n) : "", 100.0 * literally / n, misses_it ? "!" : " ");
    }
    fmt::print("\n");
    std::fflush(stdout);
  }
  return missed ? 1 : 0;
}
