#include "rules/built_in_budget.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <span>
#include <vector>

// One budget explains them: a release may lose as much as 15 s of all requests. 5% through five minutes are as much, and so are 75% through
// twenty seconds: who loses it sooner is rolled back sooner, if that is more than chance and worse than before the cutover. Of slow
// requests it may have twice as much, or cold caches would roll back.

namespace flipback::rules {

namespace {

struct rung {
  std::string_view over;
  std::string_view share;
};
constexpr std::array error_rungs{rung{"150s", "10%"}, rung{"60s", "25%"}, rung{"30s", "50%"}, rung{"20s", "75%"}};
constexpr std::array slow_rungs{rung{"150s", "20%"}, rung{"60s", "50%"}, rung{"40s", "75%"}};

struct budget {
  std::string_view name;
  std::string_view of;  ///< the ratio
  std::span<const rung> rungs;
};
constexpr std::array budgets{budget{"error", "traffic.error_rate", error_rungs}, budget{"latency", "traffic.slow_rate", slow_rungs}};

rule_source roll_back(std::string name, std::string when, std::string until, std::string unless) {
  rule_source made;
  made.name = std::move(name);
  made.at = {"built-in rules", 0, 0};
  made.when = {std::move(when), made.at};
  made.until = {std::move(until), made.at};
  made.unless = {std::move(unless), made.at};
  made.then = consequence::rollback;
  made.severity = severity::critical;
  return made;
}

rule_source through_five_minutes(const budget& b) {
  rule_source made = roll_back(b.name == "error" ? "error-rate" : std::string(b.name),
                               fmt::format("{0} over 5m > 5% and surely({0} over 5m > 5%, 80%)", b.of),
                               fmt::format("{} over 5m < 4%", b.of), fmt::format("not worse({} over 5m)", b.of));
  made.min_samples = 20;
  made.min_errors = 8;
  return made;
}

rule_source sooner(const budget& b) {
  std::vector<std::string> burns;
  std::vector<std::string> worse;
  for (const rung& r : b.rungs) {
    burns.push_back(fmt::format("{0} over {1} > {2} and surely({0} over {1} > 5%)", b.of, r.over, r.share));
    worse.push_back(fmt::format("{} and worse({} over {})", burns.back(), b.of, r.over));
  }
  rule_source made = roll_back(fmt::format("{}-burn", b.name), fmt::format("{}", fmt::join(burns, " or ")),
                               fmt::format("{} over 1m < 4%", b.of), fmt::format("not ({})", fmt::join(worse, " or ")));
  made.min_samples = made.min_errors = 5;
  return made;
}

/// Where no requests are counted as slow, as in a histogram of somebody else's buckets: by the quantile, and whatever was before.
rule_source by_quantile() {
  rule_source made = roll_back("latency", "traffic.p95 over 5m > 1000ms and traffic.p95 over 1m > 1000ms",
                               "traffic.p95 over 5m < 800ms or traffic.p95 over 1m < 800ms", {});
  made.min_samples = 50;
  return made;
}

}  // namespace

std::vector<std::string> budget_names() {
  return {"error-rate", "error-burn", "latency", "latency-burn", "outage"};
}

void add_budget(const catalogue& signals, bool has_deployment, const std::function<bool(std::string_view)>& replaced, rule_set& into) {
  const auto add = [&](rule_source made, std::string_view needs) {
    // `outage` was what `error-burn` is: who has written or switched off one of that name goes on having it so.
    if (replaced(made.name) || (made.name == "error-burn" && replaced("outage"))) return;
    if (signals.find(needs) == nullptr)
      into.off.push_back({made.name, fmt::format("no probe gives {}", needs)});
    else if (!has_deployment)
      into.off.push_back({made.name, "there is no [deployment] to roll back"});
    else
      into.on.push_back(std::move(made));
  };
  for (const budget& b : budgets) {
    const bool only_quantile = b.name == "latency" && signals.find(b.of) == nullptr && signals.find("traffic.p95") != nullptr;
    only_quantile ? add(by_quantile(), "traffic.p95") : add(through_five_minutes(b), b.of);
    add(sooner(b), b.of);
  }
}

}  // namespace flipback::rules
