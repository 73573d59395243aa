// The simulator's program: tells stories by their seeds, on as many threads as there are processors.

#include "tests/simulation/story.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using namespace flipback::simulation;

struct wanted {
  std::uint64_t first = 1;
  std::uint64_t last = 10'000;
  bool tell = false;
  bool first_alone = false;  ///< no story is begun once a promise is broken
};

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t n = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (ec != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return n;
}

std::optional<wanted> read(int argc, char** argv) {
  wanted w;
  for (int i = 1; i < argc; ++i) {
    const std::string_view key = argv[i];
    if (key == "--tell") {
      w.tell = true;
      continue;
    }
    if (key == "--stop") {
      w.first_alone = true;
      continue;
    }
    if (++i == argc) return std::nullopt;
    const std::string_view value = argv[i];
    if (key == "--seed") {
      const auto n = number(value);
      if (!n) return std::nullopt;
      w.first = w.last = *n;
    } else if (key == "--seeds") {
      const std::size_t dots = value.find("..");
      if (dots == std::string_view::npos) return std::nullopt;
      const auto a = number(value.substr(0, dots));
      const auto b = number(value.substr(dots + 2));
      if (!a || !b || *a > *b) return std::nullopt;
      w.first = *a;
      w.last = *b;
    } else {
      return std::nullopt;
    }
  }
  return w;
}

void print_story(std::uint64_t seed) {
  fmt::print("story {}\n", seed);
  tell_story(seed, [](const std::string& line) { fmt::print("{}\n", line); });
}

}  // namespace

int main(int argc, char** argv) {
  const auto what = read(argc, argv);
  if (!what) {
    fmt::print(stderr, "usage: simulation [--seed N | --seeds A..B] [--tell] [--stop]\n");
    return 2;
  }
  if (what->tell) {
    for (std::uint64_t seed = what->first; seed <= what->last; ++seed) print_story(seed);
  }
  const auto began = std::chrono::steady_clock::now();
  std::atomic<std::uint64_t> next = what->first;
  std::atomic<std::uint64_t> steps = 0;
  std::atomic<std::uint64_t> told_ones = 0;
  std::mutex guards;
  std::map<std::uint64_t, std::string> failed;
  std::map<std::string, std::uint64_t> figures;
  const unsigned threads = std::max(1U, std::thread::hardware_concurrency());
  std::vector<std::thread> tellers;
  for (unsigned i = 0; i < threads; ++i) {
    tellers.emplace_back([&] {
      for (std::uint64_t seed = next++; seed <= what->last; seed = next++) {
        const told_story told = tell_story(seed, {});
        steps += told.steps;
        ++told_ones;
        const std::lock_guard hold(guards);
        for (const auto& [what_happened, times] : told.figures) figures[what_happened] += times;
        if (told.broken.empty()) continue;
        failed.emplace(seed, told.broken);
        if (what->first_alone) next = what->last + 1;
      }
    });
  }
  for (std::thread& t : tellers) t.join();
  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  const std::uint64_t stories = told_ones;
  if (!failed.empty() && !what->tell) print_story(failed.begin()->first);
  constexpr std::size_t most = 40;
  std::size_t shown = 0;
  for (const auto& [seed, why] : failed) {
    if (++shown > most) break;
    fmt::print("seed {}: {}\n", seed, why);
  }
  if (!failed.empty()) fmt::print("to hear one again: tests/simulation/run --seed {}\n", failed.begin()->first);
  for (const auto& [what_happened, times] : figures) fmt::print("{:9}  {}\n", times, what_happened);
  fmt::print("{} stories, {} steps, {:.1f} s on {} threads, {:.0f} stories an hour and thread\n", stories, steps.load(), took, threads,
             static_cast<double>(stories) / took * 3600 / threads);
  fmt::print("simulation: {} stories, {} failed\n", stories, failed.size());
  return failed.empty() ? 0 : 1;
}
