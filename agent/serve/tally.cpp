#include "agent/serve/tally.hpp"

#include "agent/incident/book.hpp"
#include "agent/rollback/outcome.hpp"

namespace flipback::serve {

namespace {

using incident::text_of;

bool is_true(const event& e, std::string_view field) {
  for (const auto& [name, value] : e.fields) {
    if (const bool* is = std::get_if<bool>(&value); is != nullptr && name == field) return *is;
  }
  return false;
}

}  // namespace

tally::tally() {
  using rollback::outcome;
  for (auto o = outcome::rolled_back; o <= outcome::cant_tell; o = static_cast<outcome>(static_cast<int>(o) + 1)) {
    rollbacks.emplace(rollback::name_of(o), 0);
    flips.emplace(o == outcome::rolled_back ? "flipped" : rollback::name_of(o), 0);
  }
}

void tally::take(const event& e, instant at) {
  constexpr std::string_view room = "rollback.";
  ++events.at(static_cast<std::size_t>(e.severity));
  if (e.kind == "deployment.cutover") ++cutovers;
  if (e.kind == "incident.ended" && is_true(e, "breached")) ++incidents;
  if (e.kind == "history.failed") history_is_kept = false;
  if (e.kind == "history.kept") history_is_kept = true;
  if (e.kind == "rollback.decided") {
    ++by_rule[text_of(e, "rule")];
    steps.clear();
    step_before_ = at;
  }
  if (e.kind == "rollback.step" && step_before_) steps[text_of(e, "step")] += at - *std::exchange(step_before_, at);
  if (e.kind == "rollback.closed" || e.kind == "rollback.recovered") {
    ++rollbacks[text_of(e, "outcome")];
    step_before_.reset();
  }
  if (e.kind == "flip.closed" || e.kind == "flip.recovered") ++flips[text_of(e, "outcome")];
  if (incident::is_a_stance(e)) ++held_back[{e.kind.substr(room.size()), text_of(e, "guard")}];
}

}  // namespace flipback::serve
