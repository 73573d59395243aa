#include "agent/serve/verbs.hpp"

#include "flipback/one_line.hpp"
#include "flipback/quoted.hpp"
#include "flipback/settings.hpp"

#include "agent/event_lines.hpp"
#include "agent/serve/on_the_wall.hpp"
#include "agent/serve/rule_list.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <ranges>

namespace flipback::serve {

namespace json = boost::json;

namespace {

using rules::explanation_row;

instant now() {
  return std::chrono::steady_clock::now();
}

std::string whole_seconds(duration d) {
  return format_duration(std::chrono::floor<std::chrono::seconds>(std::max(d, duration{})));
}

/// A sentence, which may quote what others wrote.
reply sentence(bool done, const std::string& says) {
  return {done, one_line(says) + "\n"};
}

/// What was typed can't be meant.
reply wrong(const std::string& says) {
  return {false, one_line(says) + "\n", true};
}

reply done(const json::object& page) {
  return {true, escaped_json(json::serialize(page)) + "\n"};
}

// flipback healthy

/// Who answers has read its configuration, and its loop turns. A service that fails is no illness of the agent: restarting it would mend
/// nothing, and forget what its windows hold.
reply healthy(generation& of) {
  return sentence(true,
                  fmt::format("flipback {} watches {} probes with {} rules", FLIPBACK_VERSION, of.watching(), of.judged().rules().size()));
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
    const std::string right = one_line(r.says.empty() ? r.is : fmt::format("{}  {}", r.is, r.says));
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

/// That there is no rule of this name, and which may be meant; empty: there is one, on or off.
std::string no_rule(generation& of, const std::string& name) {
  std::vector<std::string> names;
  for (const rules::rule& r : of.judged().rules()) names.push_back(r.from.name);
  for (const rules::switched_off& off : of.rules_off()) names.push_back(off.name);
  if (std::ranges::find(names, name) != names.end()) return {};
  if (name == "security") return "security is a person's own word: `flipback rollback --reason TEXT`";
  std::vector<std::string> its;
  std::ranges::copy_if(names, std::back_inserter(its), [&](const std::string& one) { return one.starts_with(name + ":"); });
  if (!its.empty()) return fmt::format("{} is a rule for each of several: {}", name, fmt::join(its, ", "));
  const std::string meant = settings::nearest(name, names);
  return fmt::format("found no rule {}{}", name,
                     meant.empty() ? "; `flipback rules` lists them" : fmt::format("; did you mean {}? `flipback rules` lists all", meant));
}

reply explain(generation& of, const std::string& name, bool as_json) {
  if (std::string none = no_rule(of, name); !none.empty()) return wrong(none);
  for (const rules::switched_off& off : of.rules_off()) {
    if (off.name == name) return sentence(false, fmt::format("{} is off: {}", name, off.why));
  }
  const auto& all = of.judged().rules();
  const auto at = std::ranges::find(all, name, [](const rules::rule& r) { return r.from.name; });
  const auto number = static_cast<std::size_t>(at - all.begin());
  const rules::rule_source& rule = all[number].from;
  const rules::rule_explanation found = of.judged().explanation(number, now());
  if (as_json) {
    return done({{"rule", name},
                 {"verdict", rules::name_of(found.is)},
                 {"says", verdict_sentence(found, rule)},
                 {"not_this_release", found.not_this_release},
                 {"in_the_way", in_the_way_of(name, of)},
                 {"when", rows_of(found.when)},
                 {"until", rows_of(found.until)},
                 {"unless", rows_of(found.unless)}});
  }
  std::string text = verdict_sentence(found, rule) + "\n";
  if (const std::string way = in_the_way_of(name, of); !way.empty()) text += one_line(way) + "\n";
  draw("when", found.when, text);
  draw("until", found.until, text);
  draw("unless", found.unless, text);
  return {true, text};
}

// What people ask to be done.

using deployment::verb;

constexpr std::array<std::pair<std::string_view, verb::kind>, 8> changing{{{"rollback", verb::kind::rollback},
                                                                           {"approve", verb::kind::approve},
                                                                           {"hold", verb::kind::hold},
                                                                           {"unhold", verb::kind::unhold},
                                                                           {"unlatch", verb::kind::unlatch},
                                                                           {"window open", verb::kind::window_open},
                                                                           {"window close", verb::kind::window_close},
                                                                           {"flip", verb::kind::flip}}};

std::expected<verb, std::string> verb_of(verb::kind is, demand& asked, generation& of) {
  verb v;
  v.is = is;
  v.by = asked.by;
  v.reason = asked.values["reason"];
  v.rule = asked.values["rule"];
  v.sure = asked.values.contains("yes") || asked.values.contains("force");
  if (is == verb::kind::hold) {
    const auto length = hold_length(asked);
    if (!length) return std::unexpected(length.error());
    v.length = *length;
  }
  const auto& slots = of.configured().slots;
  for (const auto& [key, shown] : {std::pair{"stable", "--stable "}, std::pair{"slot", ""}}) {
    if (!asked.values.contains(key)) continue;
    const auto at = std::ranges::find(slots, asked.values[key], &config::slot::name);
    if (at == slots.end())
      return std::unexpected(fmt::format("found {}{}, which is no slot, expected {}", shown, in_quotes(asked.values[key]),
                                         fmt::join(slots | std::views::transform(&config::slot::name), " or ")));
    v.slot = static_cast<deployment::slot_number>(at - slots.begin());
  }
  if (is == verb::kind::flip && !v.slot) return std::unexpected("found no slot, expected which one is to be live");
  if (!v.rule.empty()) {
    if (std::string none = no_rule(of, v.rule); !none.empty()) return std::unexpected(std::move(none));
  }
  return v;
}

// flipback drill

std::string_view word(deployment::answer a) {
  constexpr std::array<std::string_view, 3> words{"no", "ok", "can't tell"};
  return words.at(static_cast<std::size_t>(a));
}

reply told(const deployment::drilled& found, bool as_json) {
  const bool good = found.is == deployment::answer::yes;
  if (as_json) {
    json::array steps;
    for (const deployment::rehearsed& r : found.steps)
      steps.push_back(json::object{{"step", r.what}, {"is", word(r.is)}, {"says", r.says}, {"seconds", to_seconds(r.took)}});
    reply made = done({{"is", word(found.is)}, {"says", found.says}, {"rule", found.rule}, {"steps", std::move(steps)}});
    made.is_no = !good;
    return made;
  }
  std::string text;
  for (const deployment::rehearsed& r : found.steps) {
    const std::string took =
        r.took > duration{} ? fmt::format(" ({})", format_duration(std::chrono::floor<std::chrono::milliseconds>(r.took))) : "";
    text += fmt::format("{:<9} {:<10} {}{}\n", r.what, word(r.is), one_line(r.says), took);
  }
  text += fmt::format("{:<9} {:<10} {}\n", "a breach", "", one_line(found.rule));
  text += fmt::format("drill     {:<10} {}\n", word(found.is), one_line(found.says));
  return {true, text, false, !good};
}

asio::awaitable<reply> drill(generation& of, std::string by, bool as_json) {
  if (of.deployed() == nullptr) co_return sentence(false, "there is no [deployment] to act on");
  const auto found = co_await of.deployed()->rehearse(std::move(by));
  co_return found ? told(*found, as_json) : sentence(false, found.error());
}

asio::awaitable<reply> change(generation& of, verb::kind is, demand asked) {
  if (of.deployed() == nullptr) co_return sentence(false, "there is no [deployment] to act on");
  if (const auto mistake = wrong_with(asked)) co_return wrong(*mistake);
  auto what = verb_of(is, asked, of);
  if (!what) co_return wrong(what.error());
  const auto [done, text] = co_await of.deployed()->ask(*std::move(what));
  co_return sentence(done, text);
}

}  // namespace

asio::awaitable<reply> answer_to(generation& of, const on_record& known, demand asked) {
  const bool as_json = asked.values.contains("json");
  if (asked.verb == "healthy") co_return healthy(of);
  if (asked.verb == "status") co_return as_json ? done(status_as_object(of, known)) : reply{true, status_as_text(of, known)};
  if (asked.verb == "rules") co_return as_json ? done(rules_as_object(of)) : reply{true, rules_as_text(of)};
  if (asked.verb == "explain") co_return explain(of, asked.values["rule"], as_json);
  if (asked.verb == "drill") co_return co_await drill(of, asked.by, as_json);
  for (const auto& [name, is] : changing) {
    if (asked.verb == name) co_return co_await change(of, is, std::move(asked));
  }
  co_return sentence(false, fmt::format("found the verb {}, which this agent does not know", asked.verb));
}

}  // namespace flipback::serve
