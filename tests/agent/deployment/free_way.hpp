#pragma once

#include "agent/deployment/guards.hpp"
#include "tests/agent/deployment/story.hpp"

namespace flipback::deployment {

/// Green is live in its window, error-rate is breached, and nothing stands in the way.
struct free_way : story {
  free_way() {
    green_is_put_live();
    breach();
    passes(2s);
    answers = false;
    s.stable = stable_health{epoch_now(), blue, now.at, true, "v1", "200"};
    s.blames["error-rate"] = {epoch_now(), rule().true_since, now.at, {blame::kind::release_to_blame, "green fails what blue does well"}};
    s.ready = known_readiness{now.at, {}};
  }
  [[nodiscard]] std::uint64_t epoch_now() const { return s.track.now->number; }
  [[nodiscard]] cause rule_alone() const {
    cause made;
    made.rule = "error-rate";
    return made;
  }
  [[nodiscard]] weighed weighs(cause::kind is = cause::kind::rule) const {
    cause of = rule_alone();
    of.is = is;
    return weigh(s, by, present{now, names, rules}, of);
  }
  [[nodiscard]] bool acts() const { return weighs().is == stance::act; }
  /// What was asked is as new as it can be.
  void asks_again() {
    s.stable->asked = now.at;
    s.blames["error-rate"].asked = now.at;
    s.ready->looked = now.at;
  }
  void finds(blame::kind is) { s.blames["error-rate"].newest = {is, "found"}; }
};

}  // namespace flipback::deployment
