// What the agent decides on incidents around a cutover of which counts alone can't tell who is to blame: the log's counting, the rules,
// blame, the one-client guard and the decider as they ship, from the log's lines on, on a clock of the night's own.
//
// usage: blamed RUNS [NAME]    (runs of each incident and rate; a quarter of them at 100 requests a second; NAME: of these incidents alone)
// prints: a line an incident; for each rate rolled back %, @ median second, ? a person was asked instead %, ! where the goal is missed with
//         95% confidence: what must be left is rolled back once in a hundred at most; what must flip does, at a request a second three
//         times in four

#include "tests/agent/deciding_night.hpp"
#include "tests/bench/blamed_incidents.hpp"
#include "tests/bench/is_beyond.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <optional>
#include <thread>

using namespace flipback;
using namespace flipback::blamed;

namespace {

constexpr double most_left_that_flip = 0.01;
constexpr std::array<double, rates.size()> least_that_flip{0.75, 1, 1};

struct ending {
  std::optional<seconds> rolled_back;  ///< after the cutover
  bool asked = false;
};

ending decide(const incident& of, std::size_t cell, int run) {
  deciding_night::night told(of.asks(rates[cell]), of.faults, static_cast<unsigned>(run) * 1000 + static_cast<unsigned>(cell), before);
  ending found;
  if (const auto decided = told.until(of.until)) found.rolled_back = decided->at;
  found.asked = !found.rolled_back && told.asked();
  return found;
}

int runs_of(std::size_t cell, int runs) {
  return cell + 1 == rates.size() ? runs / 4 : runs;
}

/// All runs of an incident, by cell, on as many threads as there are processors; the longest first.
std::vector<std::vector<ending>> decide_all(const incident& of, int runs) {
  std::vector<std::vector<ending>> all;
  std::vector<std::pair<std::size_t, int>> todo;
  for (std::size_t cell = rates.size(); cell-- > 0;) {
    for (int run = 0; run < runs_of(cell, runs); ++run) todo.emplace_back(cell, run);
  }
  for (std::size_t cell = 0; cell < rates.size(); ++cell) all.emplace_back(runs_of(cell, runs));
  std::atomic<std::size_t> next = 0;
  std::vector<std::jthread> deciding;
  for (unsigned i = 0; i < std::max(1U, std::thread::hardware_concurrency()); ++i) {
    deciding.emplace_back([&] {
      for (std::size_t at = next++; at < todo.size(); at = next++)
        all[todo[at].first][todo[at].second] = decide(of, todo[at].first, todo[at].second);
    });
  }
  deciding.clear();  // which waits for them
  return all;
}

/// Prints a cell; whether it misses its goal.
bool tell(const incident& of, std::size_t cell, const std::vector<ending>& all) {
  std::vector<seconds> when;
  for (const ending& e : all) {
    if (e.rolled_back) when.push_back(*e.rolled_back);
  }
  std::ranges::sort(when);
  const auto runs = static_cast<double>(all.size());
  const auto flipped = static_cast<double>(when.size());
  const auto asked = static_cast<double>(std::ranges::count_if(all, &ending::asked));
  const bool misses = is_beyond(flipped, runs, of.must_flip ? least_that_flip[cell] : most_left_that_flip, !of.must_flip);
  fmt::print("   {:3.0f}{:>5}{:>5}{}", 100 * flipped / runs, when.empty() ? "" : fmt::format("@{}", when[when.size() / 2].count()),
             asked > 0 ? fmt::format("?{:.0f}", 100 * asked / runs) : "", misses ? "!" : " ");
  return misses;
}

}  // namespace

int main(int argc, char** argv) {
  const int runs = argc > 1 ? std::atoi(argv[1]) : 0;
  if (runs < 4) return 2;
  bool missed = false;
  fmt::print("{:45}", "");
  for (const double rate : rates) fmt::print("{:>17}", fmt::format("{:g}/s   ", rate));
  fmt::print("\n");
  for (const incident& of : all_incidents()) {
    if (argc > 2 && !of.name.contains(argv[2])) continue;
    const auto all = decide_all(of, runs);
    fmt::print("{:45}", of.name);
    for (std::size_t cell = 0; cell < rates.size(); ++cell) missed = tell(of, cell, all[cell]) || missed;
    fmt::print("\n");
    std::fflush(stdout);
  }
  return missed ? 1 : 0;
}
