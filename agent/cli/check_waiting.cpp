#include "agent/cli/check_waiting.hpp"

#include "flipback/one_line.hpp"

#include "agent/cli/check_progress.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <utility>

namespace flipback::cli {

namespace asio = boost::asio;

namespace {

constexpr duration between_rounds = std::chrono::seconds(1);

bool passes(const checked& c) {
  return c.seen.result == outcome::pass;
}

std::vector<std::string> awaited_names(const std::vector<checked>& all) {
  std::vector<std::string> names;
  for (const checked& c : all) {
    if (!passes(c)) names.push_back(c.name);
  }
  return names;
}

/// "waiting for green, login: 42s left"
std::string pause_line(const std::vector<std::string>& names, duration left, std::size_t columns) {
  const std::string end = fmt::format(": {} left", format_duration(std::chrono::ceil<std::chrono::seconds>(left)));
  const std::string begin = "waiting for ";
  return begin + listed(names, columns - std::min(columns, begin.size() + end.size())) + end;
}

/// Whether nobody interrupted the pause before the next round.
bool pause(const std::vector<std::string>& names, instant limit) {
  asio::io_context loop(1);
  bool is_interrupted = false;
  asio::signal_set interrupts(loop, SIGINT, SIGTERM);
  interrupts.async_wait([&](const boost::system::error_code& error, int) {
    if (!error) is_interrupted = true;
    loop.stop();
  });
  const auto left = [limit] { return std::max(limit - std::chrono::steady_clock::now(), duration{}); };
  asio::steady_timer timer(loop, std::min(left(), between_rounds));
  timer.async_wait([&](const boost::system::error_code&) { loop.stop(); });
  const progress shown(loop, [&](std::size_t columns) { return pause_line(names, left(), columns); });
  loop.run();
  return !is_interrupted;
}

const checked* refused_in(const std::vector<checked>& all) {
  const auto found = std::ranges::find(all, reason::unauthorised, [](const checked& c) { return c.seen.why; });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace

std::string awaited(const std::vector<checked>& all) {
  std::string text;
  for (const checked& c : all) {
    if (!passes(c)) text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", one_line(c.name), one_line(c.seen.says));
  }
  return text;
}

round_found ask_until_passed(const selection& what, duration at_most) {
  const instant limit = std::chrono::steady_clock::now() + at_most;
  std::vector<std::string> told;
  for (;;) {
    round_found found = ask_once(what);
    const std::vector<std::string> names = awaited_names(found.all);
    if (names.empty() || found.interrupted || std::chrono::steady_clock::now() >= limit) return found;
    if (const checked* const refused = refused_in(found.all)) {
      fmt::print(stderr, "note: not waited for: {} was refused, and wrong credentials are not tried again and again\n",
                 one_line(refused->name));
      return found;
    }
    if (names != std::exchange(told, names)) fmt::print(stderr, "waiting for {}\n", awaited(found.all));
    if (!pause(names, limit)) return found;
  }
}

}  // namespace flipback::cli
