#include "tests/simulation/setup.hpp"

#include <fmt/format.h>

#include <array>

namespace flipback::simulation {

setup draw_plain_setup(dice& chance) {
  setup s;
  s.by.slots = {"blue", "green"};
  s.by.mode = config::mode::act;
  s.by.window = chance.chance(0.5) ? seconds(900) : seconds(120);
  s.by.confirm = 3;
  s.how = static_cast<switched_by>(chance.below(4));
  s.files = s.how == switched_by::site || s.how == switched_by::text ? 1 + chance.below(3) : 1;
  s.tells = static_cast<told_by>(chance.below(4));
  s.log = s.tells == told_by::nothing || chance.chance(0.7);
  s.workers_visible = chance.chance(0.8);
  s.rules = {{"error-burn", seconds(20), seconds(5), 0.5, {}, {}}, {"error-rate", seconds(30), seconds(10), 0.05, seconds(10), {}}};
  return s;
}

setup draw_setup(dice& chance) {
  setup s = draw_plain_setup(chance);
  constexpr std::array<config::mode, 6> modes{config::mode::act, config::mode::act,     config::mode::act,
                                              config::mode::act, config::mode::observe, config::mode::ask};
  s.by.mode = modes.at(chance.below(modes.size()));
  constexpr std::array<int, 4> windows{30, 60, 300, 900};
  s.by.window = seconds(windows.at(chance.below(windows.size())));
  s.by.confirm = 1 + static_cast<unsigned>(chance.below(3));
  if (chance.chance(0.1)) s.by.stable = 0;
  if (chance.chance(0.05)) s.by.canary = 1;
  if ((s.how == switched_by::site || s.how == switched_by::link) && chance.chance(0.15))
    s.sites = chance.chance(0.5) ? site_kind::backup : site_kind::split;
  s.log = chance.chance(0.7);
  s.log_fills = chance.chance(0.5);
  if (chance.chance(0.3)) s.cache = chance.chance(0.6) ? cache_kind::by_address : cache_kind::whole;
  s.cached_for = seconds(chance.chance(0.5) ? 10 : 60);
  s.prove_within = seconds(chance.chance(0.2) ? 10 : 2);
  if (chance.chance(0.1)) s.rules[0].mode = config::mode::ask;
  if (chance.chance(0.1)) s.rules[1].mode = config::mode::observe;
  return s;
}

std::string text_of(const setup& s) {
  constexpr std::array<std::string_view, 4> hows{"site", "text", "link", "socket"};
  constexpr std::array<std::string_view, 3> sites{"plain", "with a backup", "split"};
  constexpr std::array<std::string_view, 4> tells{"nothing", "the colour", "the version", "colour and version"};
  constexpr std::array<std::string_view, 3> caches{"no cache", "a cache by address", "a cache that passes over the query"};
  return fmt::format("mode {}, window {}, confirm {}{}{}; switch {} of {} file(s), {}; answers tell {}, {}, log {}, workers {}",
                     name_of(s.by.mode), format_duration(s.by.window), s.by.confirm, s.by.stable ? ", stable is blue" : "",
                     s.by.canary ? ", canary is green" : "", hows.at(static_cast<std::size_t>(s.how)), s.files,
                     sites.at(static_cast<std::size_t>(s.sites)), tells.at(static_cast<std::size_t>(s.tells)),
                     caches.at(static_cast<std::size_t>(s.cache)), s.log ? "there" : "absent", s.workers_visible ? "visible" : "hidden");
}

}  // namespace flipback::simulation
