#include "agent/judging/verdict_event.hpp"

#include <fmt/format.h>

namespace flipback {

namespace {

event blindness(const rules::change& c, const rules::rule& of) {
  event e{
      "rule.blind", severity::critical, fmt::format("no rollback rule on the traffic can be judged; {}: {}", of.from.name, c.why.says), {}};
  e.with("rule", of.from.name);
  return e;
}

}  // namespace

event event_of(const rules::change& c, const rules::rule& of) {
  if (c.kind == rules::change_kind::blind) return blindness(c, of);
  using enum rules::verdict;
  const bool breach = c.to == breached;
  const severity how = breach ? of.from.severity : c.from == breached ? severity::warning : severity::info;
  const bool dull = !breach && c.from != breached && c.from != pending && c.to != pending;
  event e{"verdict.changed",
          dull ? severity::debug : how,
          fmt::format("{}: {} → {}: {}", of.from.name, name_of(c.from), name_of(c.to), c.why.says),
          {}};
  e.with("rule", of.from.name).with("from", std::string(name_of(c.from))).with("to", std::string(name_of(c.to)));
  if (c.why.value) e.with("value", *c.why.value);
  if (c.why.threshold) e.with("threshold", *c.why.threshold);
  e.with("then", std::string(rules::name_of(of.from.then)));
  return e;
}

}  // namespace flipback
