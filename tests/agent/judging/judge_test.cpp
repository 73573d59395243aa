#include "agent/judging/judge.hpp"

#include "agent/deployment/state.hpp"
#include "probes/net/network.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>

using namespace flipback;
using namespace std::chrono_literals;

namespace {

/// Knows that one client makes most of the errors, and few of the requests.
class traffic_probe final : public probe, public knows_errors {
 public:
  [[nodiscard]] std::span<const measurement_declaration> declares() const override {
    static const std::array all{declared("error_rate", telling::errors), declared("slow_rate", telling::requests)};
    return all;
  }
  asio::awaitable<observation> observe(run&) override { co_return observation::unknown(reason::own_stall, "nobody asks it here"); }
  [[nodiscard]] error_shares errors_since(instant) const override {
    error_shares made;
    made.errors = 100;
    made.clients = {{"203.0.113.9", 0.9}};
    made.requesters = {{"203.0.113.1", 0.3}, {"203.0.113.9", 0.1}};
    return made;
  }

 private:
  static measurement_declaration declared(std::string_view name, telling tells) {
    return {.name = name, .kind = signal_kind::ratio, .in = unit::ratio, .stale = traffic_stale, .tells = tells};
  }
};

rules::rule_source rollback_rule(const char* name, const char* when, const char* unless = "") {
  rules::rule_source r;
  r.name = name;
  r.when.text = when;
  r.unless.text = unless;
  r.then = rules::consequence::rollback;
  r.partial = true;
  return r;
}

/// A judge of these rules, each breached just now: a half of what came in the last seconds failed, and as much was slow.
class judging {
 public:
  explicit judging(std::vector<rules::rule_source> rules) {
    configured_.deployment.emplace();
    configured_.rules = std::move(rules);
    configured_.probes.push_back({.name = "traffic", .type = "access_log", .every = 1s, .table = {}});
    probes_.push_back({configured_.probes.data(), std::make_unique<traffic_probe>()});
    settings::diagnostics problems;
    judge_.emplace(loop_, configured_, probes_, checks_, [](const event&) {}, problems);
    for (const settings::problem& p : problems.sorted()) FAIL(to_string(p));
    const instant now = std::chrono::steady_clock::now();
    for (const char* signal : {"traffic.error_rate", "traffic.slow_rate"})
      for (seconds ago = 5s; ago > 0s; ago -= 1s)
        judge_->engine().add(judge_->engine().series_named(signal).value(), {now - ago, now - ago + 1s, pooled{50, 100}, false});
    judge_->settle();
  }
  [[nodiscard]] deployment::rule_now rule(const std::string& name) {
    const auto all = judge_->rules_now({});
    const auto found = std::ranges::find(all, name, &deployment::rule_now::name);
    REQUIRE(found != all.end());
    REQUIRE(found->breached);
    return *found;
  }
  [[nodiscard]] std::uint64_t errors_of(const std::string& rule) {
    return judge_->errors_of(rule, std::chrono::steady_clock::now()).errors;
  }

 private:
  using seconds = std::chrono::seconds;
  asio::io_context loop_;
  net::network network_{loop_.get_executor()};
  config::configuration configured_;
  std::vector<config::made_probe> probes_;
  slot_checks checks_{loop_, configured_, surroundings{loop_.get_executor(), network_}};
  std::optional<judge> judge_;
};

}  // namespace

TEST_CASE("who_has_the_errors_is_asked_of_a_rule_that_counts_errors_and_of_no_other") {
  judging all({rollback_rule("errors", "traffic.error_rate over 10s > 5%"), rollback_rule("slow", "traffic.slow_rate over 10s > 5%"),
               rollback_rule("both", "traffic.slow_rate over 10s > 5% and traffic.error_rate over 10s > 5%"),
               rollback_rule("slow-unless", "traffic.slow_rate over 10s > 5%", "traffic.error_rate over 10s > 90%")});
  for (const char* counts : {"errors", "both"}) {
    CAPTURE(counts);
    CHECK(all.errors_of(counts) == 100);
    CHECK(all.rule(counts).one_client.find("203.0.113.9") != std::string::npos);
  }
  for (const char* counts_none : {"slow", "slow-unless"}) {
    CAPTURE(counts_none);
    CHECK(all.errors_of(counts_none) == 0);
    CHECK(all.rule(counts_none).one_client.empty());
  }
}
