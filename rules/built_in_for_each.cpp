#include "rules/built_in_for_each.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace flipback::rules {

namespace {

using std::chrono::minutes;

/// One rule for each of several signals, named after what the signal is of: "down:api" for `api.up`.
rule_source for_one(std::string_view name, const signal& s, std::string_view condition, std::string_view until, duration lasting) {
  rule_source made;
  made.name = fmt::format("{}:{}", name, std::string_view(s.name).substr(0, s.name.rfind('.')));
  made.at = {"built-in rules", 0, 0};
  made.when = {fmt::format("{} {}", s.name, condition), made.at};
  if (!until.empty()) made.until = {fmt::format("{} {}", s.name, until), made.at};
  made.lasting = lasting;
  return made;
}

/// What must work: three failures in a row that span a minute, while the stable slot does the same well. A signal is stale after three
/// runs, so that three lie in that time. `of` is "login" for login.up.
rule_source critical_function(std::string_view of, std::string when, const catalogue& signals) {
  const std::string up = fmt::format("{}.up", of);
  rule_source made;
  made.name = fmt::format("critical-function:{}", of);
  made.at = {"built-in rules", 0, 0};
  made.when = {std::move(when), made.at};
  made.lasting = std::max<duration>(minutes(1), signals.find(up)->stale);
  made.then = consequence::rollback;
  made.severity = severity::critical;
  return made;
}

void add_critical_functions(const catalogue& signals, rule_set& into) {
  constexpr std::string_view twin = ".stable.up";
  for (const std::string_view of : {"front_door", "live"}) {
    if (signals.find(fmt::format("{}.up", of)) != nullptr)
      into.on.push_back(critical_function(of, fmt::format("{}.up == 0 and stable.up == 1", of), signals));
  }
  for (const signal& s : signals.all()) {
    if (!s.name.ends_with(twin)) continue;
    const std::string of = s.name.substr(0, s.name.size() - twin.size());
    // What nginx passes elsewhere, or answers by itself, fails at the front door and not at the slot.
    into.on.push_back(critical_function(of, fmt::format("{0}.up == 0 and {0}.live.up == 0 and {0}.stable.up == 1", of), signals));
  }
}

bool is_of_a_slot(const signal& s) {
  const auto is = [&](std::string_view role) { return s.name == role || s.name.ends_with(fmt::format(".{}", role)); };
  return s.name == "front_door.up" || is("live.up") || is("stable.up");
}

bool is_outcome(const signal& s) {
  return s.name.ends_with(".up") && s.kind == signal_kind::outcome && !is_of_a_slot(s);
}

bool is_gauge(const signal& s, unit in, std::string_view measurement) {
  return s.kind == signal_kind::gauge && s.in == in && s.name.ends_with(measurement);
}

bool is_free_space(const signal& s) {
  return is_gauge(s, unit::ratio, ".free_ratio");
}

bool is_certificate(const signal& s) {
  return is_gauge(s, unit::seconds, ".certificate_left");
}

/// "backup.age", "minio.backups.age": of a probe, or of something that a probe looks at, whose name begins so.
bool is_age_of_a_backup(const signal& s) {
  return is_gauge(s, unit::seconds, ".age") && (s.name.starts_with("backup") || s.name.contains(".backup"));
}

/// A rule of which there is one for each signal that it is for.
struct row_of_many {
  std::string_view name;
  bool (*is_for)(const signal& s);
  std::string_view when;   ///< what follows the signal's name
  std::string_view until;  ///< the same
  duration lasting;
  std::string_view missing;  ///< why it is off where there is no such signal
};

constexpr std::array<row_of_many, 4> rows_of_many{{
    {"down", is_outcome, "== 0", "", minutes(1), "there is no probe"},
    {"certificate", is_certificate, "< 30d", "", {}, "no probe sees a certificate"},
    {"disk", is_free_space, "< 20%", ">= 25%", {}, "no probe gives a free_ratio"},
    {"backup", is_age_of_a_backup, "> 24h", "< 19h12m", {}, "no probe gives the age of something whose name begins with backup"},
}};

void add_rows(const catalogue& signals, const std::function<bool(std::string_view)>& replaced, rule_set& into) {
  for (const row_of_many& r : rows_of_many) {
    if (replaced(r.name)) continue;
    const std::size_t before = into.on.size();
    for (const signal& s : signals.all()) {
      if (r.is_for(s)) into.on.push_back(for_one(r.name, s, r.when, r.until, r.lasting));
    }
    if (into.on.size() == before) into.off.push_back({std::string(r.name), std::string(r.missing)});
  }
}

}  // namespace

std::vector<std::string> names_for_each() {
  std::vector<std::string> names{"critical-function"};
  for (const row_of_many& r : rows_of_many) names.emplace_back(r.name);
  return names;
}

void add_one_for_each(const catalogue& signals, bool has_deployment, const std::function<bool(std::string_view)>& replaced,
                      rule_set& into) {
  if (!replaced("critical-function")) {
    if (has_deployment)
      add_critical_functions(signals, into);
    else
      into.off.push_back({"critical-function", "there is no [deployment] to roll back"});
  }
  add_rows(signals, replaced, into);
}

}  // namespace flipback::rules
