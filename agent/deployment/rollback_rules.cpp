#include "agent/deployment/rollback_rules.hpp"

#include "rules/built_in.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace flipback::deployment {

namespace {

/// Whether the text has a signal such as "traffic.error_rate", for the probe `traffic`.
bool has_signal_of(std::string_view text, std::string_view probe) {
  const std::string prefix = fmt::format("{}.", probe);
  for (std::size_t at = text.find(prefix); at != std::string_view::npos; at = text.find(prefix, at + 1)) {
    const char before = at == 0 ? ' ' : text[at - 1];
    if (std::isalnum(static_cast<unsigned char>(before)) == 0 && before != '_' && before != '-' && before != '.') return true;
  }
  return false;
}

}  // namespace

std::vector<rules::rule_source> rollback_rules(const config::configuration& configured) {
  // Built-in rules on a log are on where there is a probe of that name; what it measures of these, nearly every log has.
  rules::catalogue signals;
  for (const char* name : {"traffic.error_rate", "traffic.p95"}) {
    signal made;
    made.name = name;
    signals.add(std::move(made));
  }
  std::vector<rules::rule_source> all = rules::with_built_ins(configured.rules, signals, configured.deployment.has_value()).on;
  std::erase_if(all, [](const rules::rule_source& r) { return r.then != rules::consequence::rollback; });
  return all;
}

bool any_reads(const std::vector<rules::rule_source>& rules, std::string_view probe) {
  return std::ranges::any_of(rules, [&](const rules::rule_source& r) {
    return has_signal_of(r.when.text, probe) || has_signal_of(r.until.text, probe) || has_signal_of(r.unless.text, probe);
  });
}

}  // namespace flipback::deployment
