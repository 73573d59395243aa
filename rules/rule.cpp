#include "rules/rule.hpp"

#include <fmt/format.h>

namespace flipback::rules {

std::string_view name_of(consequence c) {
  return c == consequence::rollback ? "rollback" : "alert";
}

bool same_meaning(const rule_source& a, const rule_source& b) {
  return a.name == b.name && meaning_of(a) == meaning_of(b);  // a reload asks this of each rule and each
}

std::string meaning_of(const rule_source& r) {
  const auto text = [](const std::string& of) { return fmt::format("{}:{}", of.size(), of); };  // no text can pass for two
  return fmt::format(
      "{} enabled={} when={} until={} unless={} for={} after={} gap={} then={} hold={} min_samples={} min_errors={} partial={}",
      text(r.name), r.enabled, text(r.when.text), text(r.until.text), text(r.unless.text), r.lasting.count(), r.after.count(),
      r.gap.count(), name_of(r.then), r.sets_hold, r.min_samples, r.min_errors, r.partial);
}

}  // namespace flipback::rules
