#include "agent/config/read_rules.hpp"

#include "rules/built_in.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

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

/// Keys that would do nothing in this rule.
void check_uses(settings::section& from, const rules::rule_source& read, bool has_deployment) {
  if (!read.enabled) return;
  const bool acts = read.then == rules::consequence::rollback;
  const settings::node* then = from.raw("then");
  const auto* word = then == nullptr ? nullptr : std::get_if<std::string>(&then->value);
  const bool only_alerts = then == nullptr || (word != nullptr && *word == name_of(rules::consequence::alert));
  if (acts && !has_deployment) {
    from.report("then", R"(found "rollback" without a [deployment] to roll back; expected "alert", or a [deployment])");
  }
  for (const std::string_view key : {"partial", "unless", "mode"}) {
    if (only_alerts && from.has(key))
      from.report(key, R"(does nothing in a rule that only alerts; leave it out, or write then = "rollback")");
  }
  if (from.has("after") && !has_deployment)
    from.report("after", "does nothing without a [deployment] whose cutovers it counts from; leave it out");
  if (acts && read.sets_hold)
    from.report("hold", "found true in a rule that rolls back, which the hold would stop; expected one of the two");
  if (read.sets_hold && !has_deployment) {
    from.report("hold", "found true without a [deployment] whose rollbacks could be held; expected false, or a [deployment]");
  }
}

/// Whoever switches a rule off without saying what it is means a built-in one.
void check_is_built_in(settings::section& from, const std::string& name) {
  const std::vector<std::string> all = rules::built_in_names();
  if (name.empty() || std::ranges::find(all, name) != all.end()) return;
  const std::string meant = settings::nearest(name, all);
  from.report("name",
              fmt::format("found {}, which is no built-in rule that could be switched off{}", from.shown("name"),
                          meant.empty() ? fmt::format("; they are {}", fmt::join(all, ", ")) : fmt::format("; did you mean {}?", meant)));
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
    if (!read.enabled && !from.has("when")) check_is_built_in(from, read.name);
    read.lasting = from.span("for", read.lasting, duration{}, hours(24));
    read.after = from.span("after", read.after, duration{}, hours(24));
    read.gap = from.span("gap", read.gap, duration{}, hours(1));
    read.then = from.one_of("then", rules::consequence::alert, {rules::consequence::alert, rules::consequence::rollback});
    const bool acts = read.then == rules::consequence::rollback;
    read.sets_hold = from.boolean("hold", false);
    read.severity =
        from.one_of("severity", acts ? severity::critical : severity::warning, {severity::info, severity::warning, severity::critical});
    read.min_samples = static_cast<std::uint64_t>(from.integer("min_samples", 0, 0, 1'000'000'000));
    read.min_errors = static_cast<std::uint64_t>(from.integer("min_errors", 0, 0, 1'000'000'000));
    read.partial = from.boolean("partial", false);
    if (from.has("mode")) read.mode = from.one_of("mode", mode::observe, {mode::observe, mode::ask, mode::act});
    check_uses(from, read, into.deployment.has_value());
    const auto earlier = std::ranges::find(into.rules, read.name, &rules::rule_source::name);
    if (!read.name.empty() && earlier != into.rules.end()) {
      from.report("name", fmt::format("found {}, which is the name of the rule in line {} too", from.shown("name"), earlier->at.line));
    }
    from.finish();
    into.rules.push_back(std::move(read));
  }
}

}  // namespace flipback::config
