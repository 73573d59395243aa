// An incident, and the list of them, as they are read: as text, as Markdown, as JSON.

#include "flipback/one_line.hpp"

#include "agent/event_lines.hpp"
#include "agent/incident/book.hpp"
#include "agent/incident/report.hpp"
#include "agent/incident/spoken_time.hpp"
#include "agent/json_values.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>

namespace flipback::incident {

namespace json = boost::json;

namespace {

std::string status_word(const report& r) {
  return r.ended ? fmt::format("over after {}", lasted(r.began, *r.ended)) : "not over";
}

json::object as_object(const choice& c) {
  return {{"type", c.type.substr(1, c.type.size() - 2)}, {"so_that", c.so_that}};  // without its backquotes
}

/// The minute that it speaks of is by the wall's clock.
std::string as_text(const users_then& u) {
  return fmt::format("{}, in the minute to {} UTC", as_text(u.met), clock_text(u.at));
}

std::string as_text(const put_live& c, wall_time began) {
  return fmt::format("{} was put live at {} UTC, {} before", c.what, clock_text(c.at), lasted(c.at, began));
}

json::value as_value(const std::optional<put_live>& of) {
  return of ? json::value(json::object{{"live", of->what}, {"at", time_text(of->at)}}) : json::value();
}

json::value as_value(const std::optional<users_then>& of) {
  if (!of) return {};
  const users_met& met = of->met;
  return json::object{{"at", time_text(of->at)},
                      {"requests", met.errors.denominator},
                      {"errors", met.errors.numerator},
                      {"slow", met.slow.numerator},
                      {"p95", number_or_null(met.p95)}};
}

json::object as_object(const signal& s) {
  json::array points;
  for (const traced& p : s.points) points.push_back(json::array{p.at, number_or_null(p.value)});
  return {{"unit", word_of(s.in)}, {"threshold", number_or_null(s.threshold)}, {"points", std::move(points)}};
}

struct listed {
  std::string id;
  wall_time began;
  std::string rule;
  std::optional<happening> ended;
};

/// The newest first.
std::vector<listed> listed_in(const std::vector<happening>& marks) {
  std::vector<listed> found;
  for (const happening& h : marks) {
    const std::string id = text_of(h.what, "incident");
    if (h.what.kind == "incident.began") found.push_back({id, h.at, text_of(h.what, "rule"), {}});
    const auto its = std::ranges::find(found, id, &listed::id);
    if (h.what.kind == "incident.ended" && its != found.end()) its->ended = h;
  }
  std::ranges::reverse(found);
  return found;
}

}  // namespace

std::string as_text(const report& r) {
  std::string text;
  const auto line = [&](std::string_view what, const std::string& says) {
    if (!says.empty()) text += fmt::format("{:<9} {}\n", what, one_line(says));
  };
  line("incident", fmt::format("{}: {}, {}", r.id, r.outcome, status_word(r)));
  line("stands", r.stands);
  if (r.users_at_breach) line("users", fmt::format("at the breach {}", as_text(*r.users_at_breach)));
  const bool is_later = r.users && (!r.users_at_breach || r.users->at - r.users_at_breach->at > std::chrono::seconds(1));
  if (is_later) line(r.users_at_breach ? "" : "users", fmt::format("at last {}", as_text(*r.users)));
  line("helped", r.helped);
  line("rule", r.says);
  if (r.cutover) line("cutover", as_text(*r.cutover, r.began));
  if (r.breached && *r.breached != r.began)
    line("since", fmt::format("{} UTC, breached {} later", clock_text(r.began), lasted(r.began, *r.breached)));
  else
    line("since", fmt::format("{} UTC", clock_text(r.began)));
  if (!r.rules.empty()) line("breached", fmt::format("{}, too", fmt::join(r.rules, ", ")));
  line("blame", r.blame);
  line("by", r.by);
  line("has it", r.acknowledged);
  for (const happening& h : r.steps) {
    const auto since = std::chrono::floor<std::chrono::milliseconds>(h.at - r.steps.front().at).count();
    line(&h == r.steps.data() ? "steps" : "", fmt::format("{:>7} {}", fmt::format("+{} ms", since), h.what.says));
  }
  for (const std::string& says : r.ill) line(&says == r.ill.data() ? "also ill" : "", says);
  if (!r.told.empty()) line("told", fmt::format("{}", fmt::join(r.told, ", ")));
  for (const std::string& says : r.untold) line(&says == r.untold.data() ? "untold" : "", says);
  line("type", fmt::format("{}   {}", r.next.type, r.next.so_that));
  for (const choice& c : r.otherwise) line(&c == r.otherwise.data() ? "or" : "", fmt::format("{}   {}", c.type, c.so_that));
  return text;
}

std::string as_markdown(const report& r) {
  // What others wrote stands in code, where Markdown has no meaning but for the backquote.
  const auto code = [](const std::string& says) {
    std::string safe = one_line(says);
    std::ranges::replace(safe, '`', '\'');
    return fmt::format("`{}`", safe);
  };
  std::string text = fmt::format("# Incident {}\n\n", one_line(r.id));
  const auto row = [&](std::string_view what, const std::string& says) {
    if (!says.empty()) text += fmt::format("- **{}**: {}\n", what, says);
  };
  row("Began", time_text(r.began));
  if (r.cutover) row("Cutover", code(as_text(*r.cutover, r.began)));
  if (r.breached) row("Breached", time_text(*r.breached));
  row("Ended", r.ended ? fmt::format("{}, after {}", time_text(*r.ended), lasted(r.began, *r.ended)) : "not yet");
  row("Outcome", code(r.outcome));
  if (!r.stands.empty()) row("Stands", code(r.stands));
  if (r.users_at_breach) row("Users, when it was breached", as_text(*r.users_at_breach));
  if (r.users) row("Users, at last", as_text(*r.users));
  if (!r.helped.empty()) row("Helped", code(r.helped));
  if (!r.says.empty()) row("Rule", code(r.says));
  for (const std::string& rule : r.rules) row("Breached, too", code(rule));
  if (!r.blame.empty()) row("Blame", code(r.blame));
  if (!r.by.empty()) row("By", code(r.by));
  if (!r.acknowledged.empty()) row("Acknowledged", code(r.acknowledged));
  for (const std::string& says : r.ill) row("Also ill", code(says));
  for (const std::string& target : r.told) row("Told", code(target));
  for (const std::string& says : r.untold) row("Untold", code(says));
  text += "\n## What happened\n\n| time (UTC) | what | |\n| --- | --- | --- |\n";
  for (const auto& [at, what] : r.all) {
    std::string says = code(what.says);
    for (std::size_t at_bar = says.find('|'); at_bar != std::string::npos; at_bar = says.find('|', at_bar + 2))
      says.insert(at_bar, 1, '\\');
    text += fmt::format("| {} | {} | {} |\n", clock_text(at), one_line(what.kind), says);
  }
  return text;
}

json::object as_object(const report& r) {
  json::array events;
  for (const auto& [at, what] : r.all) events.push_back(json::parse(json_line(what, at)));
  json::array steps;
  for (const auto& [at, what] : r.steps)
    steps.push_back(json::object{
        {"after", to_seconds(std::chrono::duration_cast<duration>(at - r.steps.front().at))}, {"kind", what.kind}, {"says", what.says}});
  json::array otherwise;
  for (const choice& c : r.otherwise) otherwise.push_back(as_object(c));
  json::object made{{"incident", r.id},
                    {"began", time_text(r.began)},
                    {"outcome", r.outcome},
                    {"stands", r.stands},
                    {"rule", r.rule},
                    {"says", r.says},
                    {"by", r.by},
                    {"blame", r.blame},
                    {"helped", r.helped},
                    {"cutover", as_value(r.cutover)},
                    {"users", as_value(r.users)},
                    {"users_at_breach", as_value(r.users_at_breach)},
                    {"other_rules", json::value_from(r.rules)},
                    {"acknowledged", r.acknowledged},
                    {"told", json::value_from(r.told)},
                    {"untold", json::value_from(r.untold)},
                    {"ill", json::value_from(r.ill)},
                    {"steps", std::move(steps)},
                    {"next", as_object(r.next)},
                    {"otherwise", std::move(otherwise)},
                    {"events", std::move(events)}};
  json::object signals;
  for (const signal& s : r.signals) signals[s.rule] = as_object(s);
  made["signals"] = std::move(signals);
  made["breached"] = r.breached ? json::value(time_text(*r.breached)) : json::value();
  made["ended"] = r.ended ? json::value(time_text(*r.ended)) : json::value();
  return made;
}

std::string list_of(const std::vector<happening>& marks) {
  std::string text;
  for (const listed& l : listed_in(marks)) {
    const std::string became =
        l.ended ? fmt::format("over after {}: {}", lasted(l.began, l.ended->at), text_of(l.ended->what, "outcome")) : "not over";
    text += fmt::format("{}  {:<16} {}\n", one_line(l.id), one_line(l.rule.empty() ? std::string(by_word) : l.rule), one_line(became));
  }
  return text.empty() ? "no incident is on record\n" : text;
}

json::object list_as_object(const std::vector<happening>& marks) {
  json::array all;
  for (const listed& l : listed_in(marks)) {
    json::object one{{"incident", l.id}, {"began", time_text(l.began)}, {"rule", l.rule}, {"ended", nullptr}, {"outcome", nullptr}};
    if (l.ended) {
      one["ended"] = time_text(l.ended->at);
      one["outcome"] = text_of(l.ended->what, "outcome");
    }
    all.push_back(std::move(one));
  }
  return {{"incidents", std::move(all)}};
}

}  // namespace flipback::incident
