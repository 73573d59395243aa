#include "agent/cli/check.hpp"

#include "flipback/one_line.hpp"

#include "agent/cli/check_report.hpp"
#include "agent/cli/rollback_line.hpp"
#include "agent/config/make_probes.hpp"
#include "agent/schedule/scheduler.hpp"
#include "probes/net/network.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>

namespace flipback::cli {

namespace {

bool names(const std::vector<std::string>& selection, const config::probe_entry& p) {
  return std::ranges::any_of(selection, [&](const std::string& s) { return s == p.name || std::ranges::find(p.tags, s) != p.tags.end(); });
}

constexpr std::string_view rollback_line = "rollback";  ///< is no probe's: whether a rollback could be carried out

bool is_rollback_asked(const config::configuration& configured, const check_options& options) {
  const auto has_it = [](const std::vector<std::string>& words) { return std::ranges::find(words, rollback_line) != words.end(); };
  return configured.deployment && (options.only.empty() || has_it(options.only)) && !has_it(options.skip);
}

/// A name that selects nothing is a mistake, not an empty selection: what is wrong with it, or "".
std::string unknown_in(const std::vector<std::string>& selection, const config::configuration& configured, std::string_view option) {
  for (const std::string& word : selection) {
    if (std::ranges::any_of(configured.probes, [&](const config::probe_entry& p) { return names({word}, p); })) continue;
    if (configured.deployment && word == rollback_line) continue;
    std::vector<std::string> known;
    for (const config::probe_entry& p : configured.probes) known.push_back(p.name);
    const std::string meant = settings::nearest(word, known);
    return fmt::format("{}: no probe or tag is called {}{}", option, word, meant.empty() ? "" : fmt::format("; did you mean {}?", meant));
  }
  return {};
}

}  // namespace

int refuse(const check_options& options, const std::string& why) {
  // Nagios shows what is on standard output alone, and takes 2 for an outage.
  if (options.format == "nagios") {
    fmt::print("FLIPBACK UNKNOWN - {}\n", one_line(why));
    return 3;
  }
  fmt::print(stderr, "flipback: {}\n", one_line(why));
  return 2;
}

int check(const config::configuration& configured, const check_options& options) {
  for (const auto& [option, words] : {std::pair{"--only", &options.only}, std::pair{"--skip", &options.skip}}) {
    if (const std::string wrong = unknown_in(*words, configured, option); !wrong.empty()) return refuse(options, wrong);
  }
  config::configuration chosen = configured;
  std::erase_if(chosen.probes,
                [&](const config::probe_entry& p) { return (!options.only.empty() && !names(options.only, p)) || names(options.skip, p); });
  const bool asks_rollback = is_rollback_asked(configured, options);
  if (chosen.probes.empty() && !asks_rollback) return refuse(options, "no probe is left to check");

  const instant began = std::chrono::steady_clock::now();
  asio::io_context loop(1);
  net::network network(loop.get_executor(), chosen.agent.name_servers);
  settings::diagnostics problems;
  const auto probes = config::make_probes(chosen, {loop.get_executor(), network, config::upstreams_of(chosen)}, problems);

  std::vector<checked> all;
  for (const config::made_probe& p : probes) {
    all.push_back({p.entry->name, observation::unknown(reason::own_stall, "interrupted before it ended"), false});
  }
  if (asks_rollback)
    all.push_back({std::string(rollback_line), observation::unknown(reason::own_stall, "interrupted before it ended"), false});
  std::size_t left = all.size();
  const auto ended = [&](std::size_t which, const observation& seen) {
    if (std::exchange(all[which].ended, true)) return;
    all[which].seen = seen;
    if (--left == 0) loop.stop();
  };
  scheduler once(loop, [&](std::size_t which, const run&, const observation& seen) { ended(which, seen); });
  // An interval that never comes again: each probe runs once.
  for (const config::made_probe& p : probes) once.add(*p.observed, std::chrono::hours(24), p.entry->timeout);
  asio::signal_set interrupted(loop, SIGINT, SIGTERM);
  interrupted.async_wait([&](const boost::system::error_code& error, int) {
    if (!error) loop.stop();
  });
  once.start(duration(1));
  if (asks_rollback) {
    asio::co_spawn(loop, look_ready(loop, configured), [&](const std::exception_ptr& thrown, const deployment::readiness& found) {
      observation seen = thrown ? observation::unknown(reason::own_stall, "it could not be looked") : as_observation(found);
      seen.latency = std::chrono::steady_clock::now() - began;
      ended(all.size() - 1, seen);
    });
  }
  loop.run();

  const duration took = std::chrono::steady_clock::now() - began;
  print_report(options.format, all, took);
  std::fflush(stdout);
  // What still hangs is cancelled and waited for, so that nothing is left behind.
  loop.restart();
  interrupted.cancel();
  asio::co_spawn(loop, once.stop(), [&loop](const std::exception_ptr&) { loop.stop(); });
  loop.run_for(std::chrono::seconds(1));
  return options.format == "nagios" ? nagios_status(all) : exit_status(all);
}

}  // namespace flipback::cli
