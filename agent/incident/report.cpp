#include "agent/incident/report.hpp"

#include "flipback/one_line.hpp"

#include "agent/deployment/with_release.hpp"
#include "agent/event_lines.hpp"
#include "agent/incident/book.hpp"
#include "agent/json_values.hpp"

#include <boost/json.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <string_view>

namespace flipback::incident {

namespace json = boost::json;

namespace {

constexpr const char* by_word = "security";  ///< what a rollback rests on that a person has ordered

std::string clock_text(wall_time at) {
  return time_text(at).substr(11, 12);  // hours to milliseconds
}

std::string lasted(wall_time from, wall_time to) {
  const auto took = std::chrono::duration_cast<duration>(to - from);
  return format_duration(took < std::chrono::seconds(10) ? std::chrono::floor<std::chrono::milliseconds>(took)
                                                         : std::chrono::floor<std::chrono::seconds>(took));
}

bool is_a_step(const event& e) {
  return e.kind == "rollback.decided" || e.kind == "rollback.step" || e.kind == "rollback.closed" || e.kind == "rollback.recovered";
}

void take_verdict(report& r, const happening& h) {
  const std::string to = text_of(h.what, "to");
  if (to != "pending" && to != "breached") return;
  const std::string rule = text_of(h.what, "rule");
  const bool is_breach = to == "breached";
  if (r.rule.empty() || (is_breach && !r.breached)) {
    r.rule = rule;
    r.says = h.what.says;
  } else if (is_breach && rule != r.rule && std::ranges::find(r.rules, rule) == r.rules.end()) {
    r.rules.push_back(rule);
  }
  if (is_breach && !r.breached) r.breached = h.at;
}

/// Why nothing is done: the newest event that said so.
struct stance {
  std::string kind;
  std::string rule;
};

/// What a person does next depends on what became of it alone.
void advise(report& r, const stance& why) {
  const choice hold{"`flipback hold --for 2h --reason TEXT`", "no automatic rollback acts while you look"};
  const choice back{"`flipback rollback --reason TEXT`", "users are led to the stable slot now, whatever the rules say"};
  const choice status{"`flipback status`", "it says which slot is live, what is not well now, and what is in the way"};
  const choice dismiss{"`flipback window close`", "this release stays, and rules tell only"};
  const choice again{"`flipback unlatch --yes`", "it is tried again at once if the rule is still breached"};
  const bool is_a_rule = !r.rule.empty() && r.rule != by_word;
  const choice explain{fmt::format("`flipback explain {}`", r.rule), "it says what the rule's verdict rests on, and what is in the way"};
  if (r.outcome == "rolled back") {
    r.next = {"`flipback status`", "nothing is to be done at once: mend the release before it is put live again"};
    r.otherwise = {hold};
  } else if (r.outcome == "unproven" || r.outcome == "not undone" || r.outcome == "operator took over") {
    r.next = status;
    r.otherwise = {hold};
  } else if (r.outcome == "undone" || r.outcome == "can't tell") {
    r.next = {again.type, "once what the last steps say is mended: " + again.so_that};
    r.otherwise = {back, hold};
  } else if (why.kind == "rollback.asked" && !r.ended) {
    r.next = {fmt::format("`flipback approve {}`", why.rule), "it is rolled back as the rule would"};
    r.otherwise = {hold, dismiss};
  } else {
    r.next = is_a_rule && !r.ended ? explain : status;
    if (is_a_rule && r.ended) r.otherwise.push_back(explain);
    if (!r.ended) r.otherwise.push_back(back);
    r.otherwise.push_back(hold);
  }
}

std::string status_word(const report& r) {
  return r.ended ? fmt::format("over after {}", lasted(r.began, *r.ended)) : "not over";
}

json::object as_object(const choice& c) {
  return {{"type", c.type.substr(1, c.type.size() - 2)}, {"so_that", c.so_that}};  // without its backquotes
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

/// The minute that it speaks of is by the wall's clock.
std::string as_text(const users_then& u) {
  return fmt::format("{}, in the minute to {} UTC", as_text(u.met), clock_text(u.at));
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

/// Takes what is evidence out of the events.
void take_evidence(report& r, std::vector<happening>& all) {
  std::vector<users_then> users;
  std::optional<wall_time> worst;
  std::erase_if(all, [&](const happening& h) {
    if (const auto met = users_in(h.what)) users.push_back({h.at, *met});
    const bool is_worst = h.what.kind == "rollback.decided" || (is_of_a_rollback_rule(h.what) && text_of(h.what, "to") == "breached");
    if (is_worst && !worst) worst = h.at;
    add_piece(r.signals, h.what);
    return is_evidence(h.what);
  });
  if (users.empty()) return;
  r.users = users.back();
  if (!worst) return;
  const auto then = std::ranges::find_if(users, [&](const users_then& u) { return u.at >= *worst; });
  if (then != users.end() && then->at != users.back().at) r.users_at_breach = *then;
}

}  // namespace

report report_of(std::vector<happening> all) {
  report r;
  r.id = text_of(all.front().what, "incident");
  r.began = all.front().at;
  take_evidence(r, all);
  stance why;
  std::map<std::string, std::string> ill;
  for (const happening& h : all) {
    const event& e = h.what;
    if (is_of_a_rollback_rule(e)) take_verdict(r, h);
    if (is_a_step(e)) r.steps.push_back(h);
    if (e.kind == "rollback.decided") {
      r.blame = text_of(e, "blame");
      r.by = text_of(e, "by");
      if (r.rule.empty()) {
        r.rule = text_of(e, "rule").empty() ? by_word : text_of(e, "rule");
        r.says = e.says;
      }
    } else if (e.kind == "rollback.approved") {
      r.by = text_of(e, "by");
    } else if (e.kind == "rollback.closed" || e.kind == "rollback.recovered") {
      r.outcome = text_of(e, "outcome");
      if (r.rule.empty()) r.rule = text_of(e, "rule");
      r.stands = fmt::format("{}, at {} UTC", e.says, clock_text(h.at));
    } else if (e.kind == "deployment.cutover") {
      r.stands = fmt::format("{} is live, put there at {} UTC", deployment::with_release(text_of(e, "live"), text_of(e, "release")),
                             clock_text(h.at));
    } else if (e.kind == "deployment.helped") {
      r.helped = e.says;
    } else if (e.kind == "incident.acknowledged") {
      r.acknowledged = e.says;
    } else if (e.kind == "notify.told") {
      if (const std::string to = text_of(e, "target"); std::ranges::find(r.told, to) == r.told.end()) r.told.push_back(to);
    } else if (e.kind == "notify.failed" || e.kind == "notify.given_up") {
      r.untold.push_back(e.says);
    } else if (e.kind == "probe.changed") {
      if (text_of(e, "outcome") == "fail") ill[text_of(e, "probe")] = e.says;
    } else if (e.kind == "incident.ended") {
      r.ended = h.at;
      if (r.outcome.empty()) r.outcome = text_of(e, "outcome");
    } else if (is_a_stance(e) && r.outcome.empty()) {
      why = {e.kind, text_of(e, "rule")};
      r.stands = e.says;
    }
  }
  for (auto& [probe, says] : ill) r.ill.push_back(std::move(says));
  if (r.ended && r.steps.empty() && !why.kind.empty()) r.stands.clear();  // what was in the way then is no more
  const bool is_rolling = !r.ended && !r.steps.empty() && r.outcome.empty();
  if (is_rolling) r.stands = r.steps.back().what.says;
  if (r.outcome.empty())
    r.outcome = is_rolling ? "a rollback is under way" : why.kind.empty() ? "nothing was done yet" : "nothing was done";
  advise(r, why);
  r.all = std::move(all);
  return r;
}

std::string as_text(const report& r) {
  std::string text;
  const auto line = [&](std::string_view what, const std::string& says) {
    if (!says.empty()) text += fmt::format("{:<9} {}\n", what, one_line(says));
  };
  line("incident", fmt::format("{}: {}, {}", r.id, r.outcome, status_word(r)));
  line("stands", r.stands);
  if (r.users) line("users", as_text(*r.users));
  if (r.users_at_breach) line("", as_text(*r.users_at_breach));
  line("helped", r.helped);
  line("rule", r.says);
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
  std::string text = fmt::format("# Incident {}\n\n", r.id);
  const auto row = [&](std::string_view what, const std::string& says) {
    if (!says.empty()) text += fmt::format("- **{}**: {}\n", what, says);
  };
  row("Began", time_text(r.began));
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
    text += fmt::format("| {} | {} | {} |\n", clock_text(at), what.kind, says);
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
    text += fmt::format("{}  {:<16} {}\n", l.id, one_line(l.rule.empty() ? std::string(by_word) : l.rule), one_line(became));
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
