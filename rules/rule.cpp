#include "rules/rule.hpp"

#include <tuple>

namespace flipback::rules {

std::string_view name_of(consequence c) {
  return c == consequence::rollback ? "rollback" : "alert";
}

bool same_meaning(const rule_source& a, const rule_source& b) {
  const auto meaning = [](const rule_source& r) {
    return std::tie(r.name, r.enabled, r.when.text, r.until.text, r.unless.text, r.lasting, r.after, r.gap, r.then, r.sets_hold,
                    r.min_samples, r.min_errors, r.partial);
  };
  return meaning(a) == meaning(b);
}

}  // namespace flipback::rules
