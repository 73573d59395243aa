#include "agent/judging/observing.hpp"

#include <doctest/doctest.h>

using namespace flipback;
using namespace std::chrono_literals;

namespace {

class nothing final : public probe {
 public:
  [[nodiscard]] std::span<const measurement_declaration> declares() const override { return {}; }
  asio::awaitable<observation> observe(run&) override { co_return observation::pass("nobody asks it here"); }
};

/// One probe, and what its runs are said to have seen.
class seeing {
 public:
  void take(observation seen, duration latency, duration timeout = 1s) {
    const instant began = std::chrono::steady_clock::now();
    seen.latency = latency;
    all_.take(0, {began, began + timeout, phase::asking}, seen);
  }
  [[nodiscard]] const watched& counted() const { return all_.all().front(); }
  [[nodiscard]] prometheus::ClientMetric::Histogram took() const { return counted().took->Collect().histogram; }

 private:
  [[nodiscard]] std::vector<config::made_probe> one_probe() const {
    std::vector<config::made_probe> made;
    made.push_back({&entry_, std::make_unique<nothing>()});
    return made;
  }
  config::probe_entry entry_{.name = "api", .type = "http", .table = {}};
  std::vector<config::made_probe> probes_ = one_probe();
  rules::engine rules_;
  observing all_{probes_, rules_, nullptr, [](const event&) {}};
};

}  // namespace

TEST_CASE("what_did_not_pass_is_counted_by_why_and_nothing_that_others_wrote_is_a_name") {
  seeing s;
  s.take(observation::pass("200"), 5ms);
  for (int i = 0; i < 100; ++i) s.take(observation::fail(reason::bad_status, std::to_string(i)), 5ms);
  s.take(observation::fail(reason::timed_out, "timed out"), 1s);
  s.take(observation::unknown(reason::own_limits, "no descriptors"), 5ms);
  using counts = decltype(watched::not_passed);
  CHECK(s.counted().not_passed == counts{{{outcome::fail, reason::bad_status}, 100},
                                         {{outcome::fail, reason::timed_out}, 1},
                                         {{outcome::unknown, reason::own_limits}, 1}});
}

TEST_CASE("how_long_a_run_took_is_counted_where_it_told_something_of_the_service") {
  seeing s;
  s.take(observation::pass("200"), 5ms);
  s.take(observation::fail(reason::timed_out, "timed out"), 2s);
  s.take(observation::unknown(reason::no_resolver, "no name server"), 3s);
  s.take(observation::fail(reason::unauthorised, "wrong password (not tried again for 20s)"), 0s, 0s);
  CHECK(s.took().sample_count == 2);
  CHECK(s.took().sample_sum == doctest::Approx(2.005));
}
