#include "agent/incident/report.hpp"

#include "flipback/unix_milliseconds.hpp"

#include "agent/deployment/terms.hpp"
#include "agent/deployment/with_release.hpp"
#include "agent/incident/book.hpp"
#include "agent/incident/spoken_time.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace flipback::incident {

namespace {

bool is_a_step(const event& e) {
  return e.kind == "rollback.decided" || e.kind == "rollback.step" || e.kind == "rollback.closed" || e.kind == "rollback.recovered";
}

/// A rule of several limits was breached by one of them; and what it read then is known but for a moment, where its windows begin anew.
void see_breach(report& r, const happening& h, const std::string& rule) {
  const auto its = std::ranges::find(r.signals, rule, &signal::rule);
  if (its == r.signals.end()) return;
  if (const auto threshold = number_in(h.what, "threshold")) its->threshold = threshold;
  const auto value = number_in(h.what, "value");
  const std::int64_t at = unix_milliseconds(h.at);
  const auto place = std::ranges::lower_bound(its->points, at, {}, &traced::at);
  if (value && (place == its->points.end() || place->at != at)) its->points.insert(place, {at, value});
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
  if (is_breach) see_breach(r, h, rule);
}

/// Why nothing is done: the newest event that said so, but for a question, which waits for a person as long as it lives.
struct stance {
  std::string kind;
  std::string rule;
  wall_time at{};

  [[nodiscard]] bool still_asks(const happening& then) const {
    return kind == "rollback.asked" && then.what.kind != kind && then.at - at < deployment::question_lives;
  }
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
  if (r.did_not_help) {
    r.next = {"`flipback status`", "users are still hurt: it says what fails now; look for another cause than the release"};
    r.otherwise = {hold};
  } else if (r.outcome == "rolled back") {
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

/// The newest before an incident, as its first event says it.
std::optional<put_live> cutover_before(const happening& began) {
  const double ago = number_in(began.what, "cutover_ago").value_or(-1);
  if (!(ago >= 0 && ago <= to_seconds(kept_for))) return std::nullopt;
  const auto since = std::chrono::duration_cast<wall_time::duration>(std::chrono::duration<double>(ago));
  return put_live{deployment::with_release(text_of(began.what, "live"), text_of(began.what, "release")), began.at - since};
}

/// Takes what is evidence out of the events.
void take_evidence(report& r, std::vector<happening>& all) {
  std::vector<users_then> users;
  std::optional<wall_time> worst;
  std::erase_if(all, [&](const happening& h) {
    if (const auto met = users_in(h.what)) users.push_back({h.at, *met});
    const bool is_worst = h.what.kind == "rollback.decided" || is_a_breach(h.what);
    if (is_worst && !worst) worst = h.at;
    add_piece(r.signals, h.what);
    return is_evidence(h.what);
  });
  if (users.empty()) return;
  r.users = users.back();
  if (!worst) return;
  const auto then = std::ranges::find_if(users, [&](const users_then& u) { return u.at >= *worst; });
  if (then != users.end() && then->at - *worst < std::chrono::minutes(1)) r.users_at_breach = *then;
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
    if (e.kind == "incident.began") {
      r.cutover = cutover_before(h);
    } else if (e.kind == "rollback.decided") {
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
      r.did_not_help = text_of(e, "outcome") == "did not help";
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
    } else if (is_a_stance(e) && r.outcome.empty() && !why.still_asks(h)) {
      why = {e.kind, text_of(e, "rule"), h.at};
      r.stands = e.says;
    }
  }
  for (auto& [probe, says] : ill) r.ill.push_back(std::move(says));
  if (r.ended && r.steps.empty() && !why.kind.empty()) r.stands.clear();  // what was in the way then is no more
  const bool is_rolling = !r.ended && !r.steps.empty() && r.outcome.empty();
  if (is_rolling) r.stands = r.steps.back().what.says;
  if (r.outcome.empty()) r.outcome = is_rolling ? "a rollback is under way" : !r.ended ? "nothing is done yet" : "nothing was done";
  advise(r, why);
  r.all = std::move(all);
  return r;
}

}  // namespace flipback::incident
