#include "agent/serve/status.hpp"

#include "flipback/one_line.hpp"

#include "agent/event_lines.hpp"
#include "agent/serve/standing_text.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace flipback::serve {

namespace json = boost::json;

namespace {

using rules::verdict;

/// A screen has no room for more of one kind: the rest is counted.
constexpr std::size_t most_listed = 5;

/// The rules that have such a verdict, by name.
std::vector<std::string> rules_that_are(verdict v, const rules::engine& judged) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < judged.rules().size(); ++i) {
    if (judged.verdict_of(i) == v) names.push_back(judged.rules()[i].from.name);
  }
  return names;
}

std::string sick_rule(rules::engine& judged, std::size_t number) {
  const instant now = std::chrono::steady_clock::now();
  std::string line = fmt::format("{}: {}", judged.rules()[number].from.name, judged.explain(number, now).says);
  if (const auto since = judged.true_since(number)) {
    const duration lasts = std::max(now - *since, duration{});
    line += fmt::format(", for {}", format_duration(std::chrono::floor<std::chrono::seconds>(lasts)));
  }
  return line;
}

/// Those that are breached or pending, with their numbers: what is worst comes first.
std::vector<std::pair<std::string_view, std::string>> sick_rules(rules::engine& judged) {
  std::vector<std::pair<std::string_view, std::string>> lines;
  for (const verdict v : {verdict::breached, verdict::pending}) {
    std::size_t more = 0;
    for (std::size_t i = 0; i < judged.rules().size(); ++i) {
      if (judged.verdict_of(i) != v) continue;
      if (++more <= most_listed) lines.emplace_back(rules::name_of(v), sick_rule(judged, i));
    }
    if (more > most_listed) lines.emplace_back(rules::name_of(v), fmt::format("and {} more: `flipback rules`", more - most_listed));
  }
  return lines;
}

std::vector<std::string> failing_probes(const std::vector<watched>& probes) {
  std::vector<std::string> lines;
  std::size_t more = 0;
  for (const watched& w : probes) {
    if (!w.newest || w.newest->result != outcome::fail) continue;
    if (++more <= most_listed) lines.push_back(fmt::format("{}: {}", w.entry->name, w.newest->says));
  }
  if (more > most_listed) lines.push_back(fmt::format("and {} more: `flipback status --json`", more - most_listed));
  return lines;
}

/// What a person does next, where something is to be done.
std::string to_type_next(const std::optional<deployment::standing>& stands, const std::string& incident) {
  if (!stands) return {};
  if (!stands->questions.empty()) {
    const std::string& rule = stands->questions.front().rule;
    return fmt::format("`flipback approve {}`, or `flipback explain {}` to see what it rests on", rule, rule);
  }
  const auto blocking = std::ranges::find_if(stands->lacks, &deployment::lack::blocking);
  if (blocking != stands->lacks.end() && !blocking->type.empty()) return blocking->type;
  if (!incident.empty()) return fmt::format("`flipback incidents {}`", incident);
  if (!stands->held.empty()) return "`flipback unhold`, once automatic rollbacks may act again";
  return {};
}

/// How many probes pass, fail and are unknown, and the names of those that fail.
struct probe_counts {
  explicit probe_counts(const std::vector<watched>& probes) {
    for (const watched& w : probes) {
      const outcome is = w.newest ? w.newest->result : outcome::unknown;
      ++by_outcome.at(static_cast<std::size_t>(is));
      if (is == outcome::fail) failing.push_back(w.entry->name);
    }
  }
  std::array<std::size_t, 3> by_outcome{};
  std::vector<std::string> failing;
};

}  // namespace

json::object status_as_object(generation& of, const on_record& known) {
  const auto stands = of.stands();
  const probe_counts probes(of.probes());
  const auto& [pass, fail, unknown] = probes.by_outcome;
  json::object page{{"at", time_text(std::chrono::system_clock::now())},
                    {"version", FLIPBACK_VERSION},
                    {"probes", json::object{{"pass", pass}, {"fail", fail}, {"unknown", unknown}}},
                    {"failing", json::value_from(probes.failing)}};
  for (const verdict v : {verdict::breached, verdict::pending, verdict::unknown})
    page[rules::name_of(v)] = json::value_from(rules_that_are(v, of.judged()));
  if (stands) page["deployment"] = as_object(*stands, of.configured().slots);
  page["incident"] = known.incident.empty() ? json::value() : json::value(known.incident);
  page["unrecorded"] = known.unrecorded;
  page["untold"] = known.untold;
  page["rejected"] = known.rejected;
  page["type"] = to_type_next(stands, known.incident);
  return page;
}

std::string status_as_text(generation& of, const on_record& known) {
  std::string text;
  const auto line = [&](std::string_view what, const std::string& is) { text += fmt::format("{:<9} {}\n", what, one_line(is)); };
  const auto stands = of.stands();
  if (stands) {
    for (const auto& [what, is] : as_lines(*stands)) line(what, is);
  }
  for (const auto& [what, is] : sick_rules(of.judged())) line(what, is);
  for (const auto& is : failing_probes(of.probes())) line("fails", is);
  const auto [pass, fail, unknown] = probe_counts(of.probes()).by_outcome;
  line("probes", fmt::format("{} pass, {} fail, {} unknown", pass, fail, unknown));
  const auto untold = rules_that_are(verdict::unknown, of.judged());
  if (!untold.empty()) line("unknown", fmt::format("{}", fmt::join(untold, ", ")));
  if (!known.unrecorded.empty()) line("unrecorded", fmt::format("what happens is not on record: {}", known.unrecorded));
  if (!known.untold.empty()) line("untold", known.untold);
  if (!known.rejected.empty()) line("config", known.rejected);
  if (!known.incident.empty()) line("incident", fmt::format("{} is not over", known.incident));
  if (const std::string next = to_type_next(stands, known.incident); !next.empty()) line("type", next);
  return text;
}

}  // namespace flipback::serve
