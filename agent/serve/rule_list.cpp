#include "agent/serve/rule_list.hpp"

#include "flipback/one_line.hpp"

#include "agent/event_lines.hpp"
#include "agent/json_values.hpp"
#include "agent/serve/on_the_wall.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>

namespace flipback::serve {

namespace json = boost::json;

namespace {

json::value time(const std::optional<instant>& of) {
  return of ? json::value(time_text(on_the_wall(*of))) : json::value();
}

/// What is in the way of which rule, as it stands once for all of them.
std::string way_of(const std::string& rule, const std::optional<deployment::standing>& stands) {
  if (!stands) return {};
  const auto found = std::ranges::find(stands->in_the_way, rule, &deployment::in_the_way::rule);
  return found == stands->in_the_way.end() ? "" : fmt::format("{}: {}", found->is, found->says);
}

json::object as_object(rules::engine& judged, std::size_t which, const std::optional<deployment::standing>& stands) {
  const rules::rule_source& rule = judged.rules()[which].from;
  const rules::evaluation found = judged.explain(which, std::chrono::steady_clock::now());
  return {{"rule", rule.name},
          {"verdict", rules::name_of(judged.verdict_of(which))},
          {"then", rules::name_of(rule.then)},
          {"says", found.says},
          {"value", number_or_null(found.value)},
          {"threshold", number_or_null(found.threshold)},
          {"unit", word_of(found.in)},
          {"for", to_seconds(rule.lasting)},
          {"true_since", time(judged.true_since(which))},
          {"breaches_at", time(judged.breaches_at(which))},
          {"in_the_way", way_of(rule.name, stands)}};
}

}  // namespace

std::string in_the_way_of(const std::string& rule, const generation& of) {
  return way_of(rule, of.stands());
}

json::object rules_as_object(generation& of) {
  json::array all;
  const auto stands = of.stands();
  for (std::size_t i = 0; i < of.judged().rules().size(); ++i) all.push_back(as_object(of.judged(), i, stands));
  for (const rules::switched_off& off : of.rules_off())
    all.push_back(json::object{{"rule", off.name}, {"verdict", "off"}, {"says", off.why}});
  return {{"rules", std::move(all)}};
}

std::string rules_as_text(generation& of) {
  std::size_t widest = 0;
  for (const rules::rule& r : of.judged().rules()) widest = std::max(widest, r.from.name.size());
  std::string text;
  const auto line = [&](std::string_view is, const std::string& name, std::string_view then, const std::string& says) {
    text += fmt::format("{:<9} {:<{}} {:<8} {}\n", is, name, widest, then, one_line(says));
  };
  for (std::size_t i = 0; i < of.judged().rules().size(); ++i) {
    const rules::rule_source& rule = of.judged().rules()[i].from;
    const std::string says = of.judged().explain(i, std::chrono::steady_clock::now()).says;
    line(rules::name_of(of.judged().verdict_of(i)), rule.name, rules::name_of(rule.then), says);
  }
  for (const rules::switched_off& off : of.rules_off()) line("off", off.name, "", off.why);
  return text;
}

}  // namespace flipback::serve
