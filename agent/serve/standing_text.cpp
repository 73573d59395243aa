#include "agent/serve/standing_text.hpp"

#include "agent/deployment/with_release.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace flipback::serve {

namespace json = boost::json;

using deployment::with_release;

namespace {

/// Whether a rollback lacks nothing; what blocks one may be known before all was looked at.
std::string_view is_ready(const deployment::standing& s) {
  if (std::ranges::any_of(s.lacks, &deployment::lack::blocking)) return "no";
  return s.ready_looked ? "yes" : "not looked yet";
}

}  // namespace

json::object as_object(const deployment::standing& s, const std::vector<config::slot>& slots) {
  json::array names;
  for (const config::slot& one : slots) names.emplace_back(one.name);
  json::array questions;
  for (const deployment::approval& q : s.questions) questions.push_back(json::object{{"rule", q.rule}, {"says", q.says}});
  json::array in_the_way;
  for (const auto& [rule, is, says] : s.in_the_way) in_the_way.push_back(json::object{{"rule", rule}, {"is", is}, {"says", says}});
  json::array lacks;
  for (const deployment::lack& l : s.lacks) lacks.push_back(json::object{{"blocking", l.blocking}, {"says", l.what}, {"type", l.type}});
  return {{"slots", std::move(names)},
          {"mode", name_of(s.mode)},
          {"live", s.live},
          {"release", s.release},
          {"stable", s.stable},
          {"stable_release", s.stable_release},
          {"no_way_back", s.no_way_back},
          {"doubt", s.doubt},
          {"intent", s.intent},
          {"intent_says", s.intent_says},
          {"effect", name_of(s.effect)},
          {"effect_says", s.effect_says},
          {"users", s.users},
          {"since", s.since},
          {"epoch", s.epoch},
          {"window_open", s.window_open},
          {"window_left", to_seconds(s.window_left)},
          {"latched", s.latched},
          {"latch", s.latch_says},
          {"held", s.held},
          {"failed_attempts", s.failed ? s.failed->count : 0},
          {"failed_attempts_says", s.failed_says},
          {"next_attempt_in", to_seconds(s.next_attempt_in)},
          {"rolling", s.rolling},
          {"flipping", s.flipping},
          {"stable_says", s.stable_says},
          {"asked", std::move(questions)},
          {"in_the_way", std::move(in_the_way)},
          {"ready", is_ready(s)},
          {"not_ready", std::move(lacks)},
          {"notes", json::value_from(s.notes)},
          {"unstored", json::value_from(s.unstored)},
          {"kept", s.kept}};
}

std::vector<std::pair<std::string, std::string>> as_lines(const deployment::standing& s) {
  std::vector<std::pair<std::string, std::string>> lines;
  const std::string live = s.live.empty() ? "not known" : with_release(s.live, s.release);
  lines.emplace_back("live", s.effect_says.empty() ? live : fmt::format("{} ({})", live, s.effect_says));
  if (s.effect_says.empty() && !s.since.empty()) lines.emplace_back("proven", s.since);
  if (s.effect_is_intent)
    lines.emplace_back("switch", s.intent_says);
  else if (s.intent.empty())
    lines.emplace_back("switch", fmt::format("{}: {}", s.names_none ? "names no slot" : "can't be read", s.intent_says));
  else if (s.intent != s.live)
    lines.emplace_back("switch", "names " + s.intent);
  lines.emplace_back("stable", s.stable.empty() ? "no way back: " + s.no_way_back
                                                : with_release(s.stable, s.stable_release) +
                                                      (s.stable_says.empty() ? "" : fmt::format(" ({})", s.stable_says)));
  if (!s.doubt.empty()) lines.emplace_back("doubtful", s.doubt);
  const std::string left = format_duration(std::chrono::floor<std::chrono::seconds>(s.window_left));
  lines.emplace_back("window", !s.window_open                ? "closed"
                               : s.window_left == duration{} ? "open, for what was pending at its end"
                                                             : fmt::format("open, {} left", left));
  if (!s.held.empty()) lines.emplace_back("hold", s.held);
  if (!s.rolling.empty()) lines.emplace_back("rollback", "under way, " + s.rolling);
  if (!s.flipping.empty()) lines.emplace_back("flip", "under way, " + s.flipping);
  if (s.failed) lines.emplace_back("attempts", fmt::format("{} ({})", s.failed_says, s.failed->says));
  lines.emplace_back("mode", std::string(name_of(s.mode)) + (s.latched ? fmt::format(", the latch is shut ({})", s.latch_says) : ""));
  for (const auto& [rule, is, says] : s.in_the_way) lines.emplace_back(is, fmt::format("{}: {}", rule, says));
  for (const deployment::approval& q : s.questions) lines.emplace_back("asked", fmt::format("{}: {}", q.rule, q.says));
  if (const auto is = is_ready(s); is != "no") lines.emplace_back("ready", is);
  for (const deployment::lack& l : s.lacks) lines.emplace_back(l.blocking ? "not ready" : "lacking", text_of(l));
  for (const std::string& n : s.notes) lines.emplace_back("note", n);
  for (const std::string& u : s.unstored) lines.emplace_back("unstored", u);
  if (!s.kept.empty()) lines.emplace_back("kept", s.kept);
  return lines;
}

}  // namespace flipback::serve
