#include "agent/config/read_rules.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace flipback::config {

namespace {

using std::chrono::hours;

rules::text_place place(const settings::position& at, std::uint32_t inside) { return {at.file, at.line, at.column + inside}; }

rules::source_text read_condition(settings::section& from, std::string_view key) {
  rules::source_text read;
  read.text = from.text(key, "");
  read.at = place(from.where(key), 1);
  if (from.has(key) && read.text.empty()) from.report(key, "is empty, expected a condition such as \"traffic.error_rate over 5m > 5%\"");
  return read;
}

}  // namespace

void read_rules(settings::section& root, configuration& into) {
  for (settings::section& from : root.items("rules")) {
    rules::rule_source read;
    read.name = from.required_text("name", "error-rate");
    read.at = place(from.where("name"), 0);
    read.enabled = from.boolean("enabled", true);
    read.when = read_condition(from, "when");
    read.until = read_condition(from, "until");
    read.unless = read_condition(from, "unless");
    if (read.enabled && !from.has("when")) from.report_here("has no when, expected a condition such as \"traffic.error_rate over 5m > 5%\"");
    read.hold = from.span("for", read.hold, duration{}, hours(24));
    read.after = from.span("after", read.after, duration{}, hours(24));
    read.gap = from.span("gap", read.gap, duration{}, hours(1));
    read.then = from.choice("then", "alert", {"alert", "rollback"}) == "rollback" ? rules::consequence::rollback : rules::consequence::alert;
    read.severity = from.choice("severity", read.then == rules::consequence::rollback ? "critical" : "warning", {"info", "warning", "critical"});
    read.min_samples = static_cast<std::uint64_t>(from.integer("min_samples", 0, 0, 1'000'000'000));
    read.min_errors = static_cast<std::uint64_t>(from.integer("min_errors", 0, 0, 1'000'000'000));
    if (from.has("mode")) read.mode = from.choice("mode", "observe", {"observe", "ask", "act"});
    if (std::ranges::find(into.rules, read.name, &rules::rule_source::name) != into.rules.end()) {
      from.report("name", fmt::format("found \"{}\" a second time, expected each rule's name once", read.name));
    }
    if (read.then == rules::consequence::rollback && read.enabled && !into.deployment) {
      from.report("then", "found \"rollback\" without a [deployment] to roll back: expected \"alert\", or a [deployment]");
    }
    from.finish();
    into.rules.push_back(std::move(read));
  }
}

}  // namespace flipback::config
