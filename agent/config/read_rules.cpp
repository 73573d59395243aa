#include "agent/config/read_rules.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace flipback::config {

namespace {

using std::chrono::hours;

constexpr std::string_view a_condition = R"(a condition such as "traffic.error_rate over 5m > 5%")";

rules::text_place place(const settings::position& at) {
  return {at.file, at.line, at.column};
}

rules::source_text read_condition(settings::section& from, std::string_view key) {
  const auto text = from.text(key);
  if (!text) return {};
  if (text->find_first_not_of(" \t\r\n") == std::string::npos) {
    from.report(key, fmt::format("found {}, expected {}", from.shown(key), a_condition));
    return {};
  }
  return {*text, place(from.raw(key)->inside)};
}

}  // namespace

void read_rules(settings::section& root, configuration& into) {
  for (settings::section& from : root.items("rules")) {
    rules::rule_source read;
    read.name = from.required_text("name", "error-rate");
    read.at = place(from.where("name"));
    read.enabled = from.boolean("enabled", true);
    read.when = read_condition(from, "when");
    read.until = read_condition(from, "until");
    read.unless = read_condition(from, "unless");
    if (read.enabled && !from.has("when")) from.report("when", fmt::format("is missing, expected {}", a_condition));
    read.hold = from.span("for", read.hold, duration{}, hours(24));
    read.after = from.span("after", read.after, duration{}, hours(24));
    read.gap = from.span("gap", read.gap, duration{}, hours(1));
    read.then =
        from.choice("then", "alert", {"alert", "rollback"}) == "rollback" ? rules::consequence::rollback : rules::consequence::alert;
    read.holds = from.boolean("hold", false);
    read.severity =
        from.choice("severity", read.then == rules::consequence::rollback ? "critical" : "warning", {"info", "warning", "critical"});
    read.min_samples = static_cast<std::uint64_t>(from.integer("min_samples", 0, 0, 1'000'000'000));
    read.min_errors = static_cast<std::uint64_t>(from.integer("min_errors", 0, 0, 1'000'000'000));
    if (from.has("mode")) read.mode = from.choice("mode", "observe", {"observe", "ask", "act"});
    const auto earlier = std::ranges::find(into.rules, read.name, &rules::rule_source::name);
    if (!read.name.empty() && earlier != into.rules.end()) {
      from.report("name", fmt::format("found {}, which is the name of the rule in line {} too", from.shown("name"), earlier->at.line));
    }
    if (read.then == rules::consequence::rollback && read.enabled && !into.deployment) {
      from.report("then", R"(found "rollback" without a [deployment] to roll back; expected "alert", or a [deployment])");
    }
    from.finish();
    into.rules.push_back(std::move(read));
  }
}

}  // namespace flipback::config
