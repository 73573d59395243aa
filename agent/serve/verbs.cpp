#include "agent/serve/verbs.hpp"

#include "flipback/settings.hpp"

#include "agent/event_lines.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace flipback::serve {

namespace json = boost::json;

namespace {

using rules::explanation_row;
using rules::verdict;

instant now() {
  return std::chrono::steady_clock::now();
}

std::string whole_seconds(duration d) {
  return format_duration(std::chrono::floor<std::chrono::seconds>(std::max(d, duration{})));
}

wall_time on_the_wall(instant at) {
  return std::chrono::system_clock::now() + std::chrono::duration_cast<wall_time::duration>(at - now());
}

reply done(const json::object& page) {
  return {true, json::serialize(page) + "\n"};
}

std::string mode_word(config::mode m) {
  constexpr std::array<std::string_view, 3> words{"observe", "ask", "act"};
  return std::string(words.at(static_cast<std::size_t>(m)));
}

// flipback status

/// The rules that have such a verdict, by name.
std::vector<std::string> rules_that_are(verdict v, const rules::engine& judged) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < judged.rules().size(); ++i) {
    if (judged.verdict_of(i) == v) names.push_back(judged.rules()[i].from.name);
  }
  return names;
}

reply status(generation& of, bool as_json) {
  std::array<std::size_t, 3> probes{};
  std::vector<std::string> failing;
  for (const watched& w : of.probes()) {
    const outcome is = w.newest ? w.newest->result : outcome::unknown;
    ++probes.at(static_cast<std::size_t>(is));
    if (is == outcome::fail) failing.push_back(w.entry->name);
  }
  const auto stands = of.stands();
  if (as_json) {
    json::object page{{"version", FLIPBACK_VERSION},
                      {"probes", json::object{{"pass", probes[0]}, {"fail", probes[1]}, {"unknown", probes[2]}}},
                      {"failing", json::value_from(failing)}};
    for (const verdict v : {verdict::breached, verdict::pending, verdict::unknown})
      page[rules::name_of(v)] = json::value_from(rules_that_are(v, of.judged()));
    if (stands) {
      page["deployment"] = json::object{{"mode", mode_word(stands->mode)},
                                        {"live", stands->live},
                                        {"release", stands->release},
                                        {"stable", stands->stable},
                                        {"stable_release", stands->stable_release},
                                        {"window_open", stands->window_open},
                                        {"latched", stands->latched},
                                        {"held", stands->held},
                                        {"rolling", stands->rolling}};
    }
    return done(page);
  }
  std::string text;
  const auto line = [&](std::string_view what, const std::string& is) { text += fmt::format("{:<9} {}\n", what, is); };
  if (stands) {
    line("live", stands->live.empty() ? "not known" : fmt::format("{} with {}", stands->live, stands->release));
    line("stable", stands->stable.empty() ? "no way back" : fmt::format("{} with {}", stands->stable, stands->stable_release));
    line("window", stands->window_open ? "open" : "closed");
    if (!stands->held.empty()) line("hold", stands->held);
    line("mode", mode_word(stands->mode) + (stands->latched ? ", the latch is shut" : ""));
  }
  line("probes", fmt::format("{} pass, {} fail, {} unknown{}", probes[0], probes[1], probes[2],
                             failing.empty() ? "" : fmt::format(": {}", fmt::join(failing, ", "))));
  for (const verdict v : {verdict::breached, verdict::pending, verdict::unknown}) {
    const auto names = rules_that_are(v, of.judged());
    if (!names.empty()) line(rules::name_of(v), fmt::format("{}", fmt::join(names, ", ")));
  }
  return {true, text};
}

// flipback rules

reply list_rules(generation& of, bool as_json) {
  json::array all;
  std::string text;
  std::size_t widest = 0;
  for (const rules::rule& r : of.judged().rules()) widest = std::max(widest, r.from.name.size());
  for (std::size_t i = 0; i < of.judged().rules().size(); ++i) {
    const rules::rule_source& rule = of.judged().rules()[i].from;
    const std::string_view is = rules::name_of(of.judged().verdict_of(i));
    const std::string says = of.judged().explain(i, now()).says;
    all.push_back(json::object{{"rule", rule.name}, {"verdict", is}, {"then", rules::name_of(rule.then)}, {"says", says}});
    text += fmt::format("{:<9} {:<{}} {:<8} {}\n", is, rule.name, widest, rules::name_of(rule.then), says);
  }
  for (const rules::switched_off& off : of.rules_off()) {
    all.push_back(json::object{{"rule", off.name}, {"verdict", "off"}, {"says", off.why}});
    text += fmt::format("{:<9} {:<{}} {:<8} {}\n", "off", off.name, widest, "", off.why);
  }
  return as_json ? done({{"rules", std::move(all)}}) : reply{true, text};
}

// flipback explain RULE

json::array rows_of(const std::vector<explanation_row>& tree) {
  json::array rows;
  for (const explanation_row& r : tree) rows.push_back(json::object{{"depth", r.depth}, {"text", r.text}, {"is", r.is}, {"says", r.says}});
  return rows;
}

void draw(std::string_view key, const std::vector<explanation_row>& tree, std::string& into) {
  std::size_t widest = 0;
  for (const explanation_row& r : tree) widest = std::max(widest, 2 * r.depth + r.text.size());
  for (const explanation_row& r : tree) {
    const std::string left = std::string(std::size_t{2} * r.depth, ' ') + r.text;
    const std::string right = r.says.empty() ? r.is : fmt::format("{}  {}", r.is, r.says);
    into += fmt::format("{:<7} {:<{}}  {}\n", std::exchange(key, ""), left, widest, right);
  }
}

std::string verdict_sentence(const rules::rule_explanation& found, const rules::rule_source& of) {
  std::string text = fmt::format("{}: {}", of.name, rules::name_of(found.is));
  if (found.true_since)
    text += fmt::format(", true since {} ({})", time_text(on_the_wall(*found.true_since)), whole_seconds(now() - *found.true_since));
  if (found.unknown_since) text += fmt::format(", unknown for {}", whole_seconds(now() - *found.unknown_since));
  if (found.breaches_at) text += fmt::format(", breaches in {} if it stays so", whole_seconds(*found.breaches_at - now()));
  text += fmt::format("; then {}", rules::name_of(of.then));
  if (found.not_this_release) text += ", but it was true before the cutover already: it asks, it does not act";
  return text;
}

reply explain(generation& of, const std::string& name, bool as_json) {
  const auto& all = of.judged().rules();
  std::vector<std::string> names;
  for (const rules::rule& r : all) names.push_back(r.from.name);
  const auto at = std::ranges::find(names, name);
  if (at == names.end()) {
    for (const rules::switched_off& off : of.rules_off()) {
      if (off.name == name) return {false, fmt::format("{} is off: {}\n", name, off.why)};
    }
    const std::string meant = settings::nearest(name, names);
    return {false, fmt::format("found no rule {}{}\n", name,
                               meant.empty() ? "; `flipback rules` lists them" : fmt::format("; did you mean {}?", meant))};
  }
  const auto number = static_cast<std::size_t>(at - names.begin());
  const rules::rule_source& rule = all[number].from;
  const rules::rule_explanation found = of.judged().explanation(number, now());
  if (as_json) {
    return done({{"rule", name},
                 {"verdict", rules::name_of(found.is)},
                 {"says", verdict_sentence(found, rule)},
                 {"not_this_release", found.not_this_release},
                 {"when", rows_of(found.when)},
                 {"until", rows_of(found.until)},
                 {"unless", rows_of(found.unless)}});
  }
  std::string text = verdict_sentence(found, rule) + "\n";
  draw("when", found.when, text);
  draw("until", found.until, text);
  draw("unless", found.unless, text);
  return {true, text};
}

// flipback rollback, hold, unhold, unlatch

reply hold(deployment::control& on, demand& asked) {
  constexpr duration longest = std::chrono::days(7);
  const auto length = parse_duration(asked.values["for"]);
  if (!length || *length <= duration{} || *length > longest)
    return {false,
            fmt::format("found --for \"{}\", expected a duration to {} such as 30m\n", asked.values["for"], format_duration(longest))};
  on.hold_for(asked.by, asked.values["reason"], *length);
  return {true, fmt::format("no automatic rollback acts for {}; `flipback unhold` ends that\n", format_duration(*length))};
}

reply reply_of(const std::expected<std::string, std::string>& said) {
  return {said.has_value(), (said ? *said : said.error()) + "\n"};
}

asio::awaitable<reply> change(generation& of, demand asked) {
  if (of.controlled() == nullptr) co_return reply{false, "there is no [deployment] to roll back\n"};
  deployment::control& on = *of.controlled();
  if (asked.verb == "hold") co_return hold(on, asked);
  if (asked.verb == "unhold") co_return reply_of(on.unhold(asked.by));
  if (asked.verb == "unlatch") co_return reply_of(on.unlatch(asked.by, asked.values.contains("yes")));
  co_return reply_of(co_await on.roll_back_for(asked.by, asked.values["reason"], asked.values.contains("force")));
}

constexpr std::array<std::string_view, 4> changing{"rollback", "hold", "unhold", "unlatch"};

}  // namespace

asio::awaitable<reply> answer_to(generation& of, demand asked) {
  const bool as_json = asked.values.contains("json");
  if (asked.verb == "status") co_return status(of, as_json);
  if (asked.verb == "rules") co_return list_rules(of, as_json);
  if (asked.verb == "explain") co_return explain(of, asked.values["rule"], as_json);
  if (std::ranges::find(changing, asked.verb) != changing.end()) co_return co_await change(of, std::move(asked));
  co_return reply{false, fmt::format("found the verb {}, which this agent does not know\n", asked.verb)};
}

}  // namespace flipback::serve
