#include "rules/replay/player.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

// Nights as they happen, told second by second, and what the built-in rollback rules say to them. Times are minutes and seconds from the
// cutover, at which a rule says something new.

using namespace flipback;
using namespace flipback::rules;
using namespace std::chrono;
using namespace std::chrono_literals;

namespace {

constexpr instant cutover{hours(1000)};
constexpr seconds well_before = 10min;  ///< the release before was watched and well for so long

class night {
 public:
  night() { begin(false, 0h); }

  /// A reload, before which the clock on the wall was set.
  night& reload(hours step) {
    begin(true, step);
    return *this;
  }

  /// Users for so long: requests a second, of which a share are errors; how long an answer takes.
  night& users(seconds until, double rps, double share, double latency = 0.05) {
    for (; now_ < until; now_ += 1s) one_second(rps, share, latency > 1 ? 1 : 0);
    return *this;
  }
  /// The same without errors, a share of them slow.
  night& some_slow(seconds until, double rps, double share) {
    for (; now_ < until; now_ += 1s) one_second(rps, 0, share);
    return *this;
  }
  night& cut_over() {
    tell(replay::cut_over{cutover + now_});
    tell(replay::window_changed{cutover + now_, true});
    return *this;
  }
  /// The agent stands still; nginx goes on, and nobody reads it.
  night& unwatched(seconds until) {
    tell(replay::unwatched{cutover + now_, cutover + until});
    now_ = until;
    return *this;
  }
  /// The log gives nothing at all.
  night& silent(seconds until) {
    for (; now_ < until; now_ += 1s) ask_stable();
    return *this;
  }
  night& stable_is(bool well) {
    stable_is_well_ = well;
    return *this;
  }

  /// "05:00 error-rate breached": what the rollback rules say from the cutover on, but for what comes and goes between ok and unknown.
  [[nodiscard]] std::string told() const {
    settings::diagnostics problems;
    replay::player playing({}, problems);
    std::vector<std::string> all;
    const auto hear = [&](const change& c) {
      const rule_source& of = playing.rules()[c.rule].from;
      const bool dull =
          c.kind == change_kind::verdict && c.to != verdict::breached && c.to != verdict::pending && c.from != verdict::breached;
      if (of.then != consequence::rollback || c.at < cutover || dull) return;
      const auto at = duration_cast<milliseconds>(c.at - cutover).count();
      const std::string says = c.kind == change_kind::blind ? "blind" : fmt::format("{}", name_of(c.to));
      const bool asks = c.to == verdict::breached && playing.would_act(c.rule).first == acting::asks;
      all.push_back(fmt::format("{:02}:{:02}{} {} {}{}", at / 60'000, at / 1000 % 60,
                                at % 1000 == 0 ? "" : fmt::format(".{:03}", at % 1000), of.name, says,
                                c.not_this_release ? " (not this release)"
                                : asks             ? " (no worse than before)"
                                                   : ""));
    };
    for (const replay::entry& e : entries_) playing.take(e, hear);
    playing.end(hear);
    for (const settings::problem& p : problems.sorted()) all.push_back(to_string(p));
    return fmt::format("{}", fmt::join(all, "; "));
  }

 private:
  enum series : std::uint32_t { errors, slow, stable };

  void begin(bool continues, hours step) {
    tell(replay::beginning{cutover + now_, wall_time(1795762000s) + now_ + step, continues});
    tell(replay::declared{
        errors, {"traffic.error_rate", signal_kind::ratio, unit::ratio, 15s, 0, "traffic.error_rate", {}, false, {}, telling::errors}});
    tell(replay::declared{
        slow, {"traffic.slow_rate", signal_kind::ratio, unit::ratio, 15s, 0, "traffic.slow_rate", {}, false, {}, telling::requests}});
    tell(replay::declared{stable, {"stable.up", signal_kind::outcome, unit::number, 3s, 0, "stable.up"}});
  }
  void tell(replay::entry e) { entries_.push_back(std::move(e)); }

  /// Fractions of a request add up: at 0.5 a second one comes every other second; and so do errors.
  void one_second(double rps, double share, double slow_share) {
    const double requests = whole(rps, request_rest_);
    const double bad = std::min(requests, whole(requests * share, error_rest_));
    const instant at = cutover + now_ + 1s;
    tell(replay::sampled{errors, {at - 1s, at, pooled{bad, requests}, requests == 0}});
    tell(replay::sampled{slow,
                         {at - 1s, at, pooled{std::min(requests, whole(requests * slow_share, slow_rest_)), requests}, requests == 0}});
    ask_stable();
  }
  void ask_stable() {
    const instant at = cutover + now_ + 1s;
    tell(replay::sampled{stable, {at, at, stable_is_well_ ? 1.0 : 0.0, false}});
  }
  static double whole(double more, double& rest) {
    rest += more;
    const double made = std::floor(rest + 1e-9);
    rest -= made;
    return made;
  }

  std::vector<replay::entry> entries_;
  seconds now_ = -well_before;
  bool stable_is_well_ = true;
  double request_rest_ = 0;
  double error_rest_ = 0;
  double slow_rest_ = 0;
};

/// Ten good minutes, then the cutover.
night after_a_good_release(double rps) {
  night made;
  made.users(0s, rps, 0).cut_over();
  return made;
}

}  // namespace

TEST_CASE("a_third_of_errors_is_out_after_a_minute_at_any_traffic") {
  CHECK(after_a_good_release(0.5).users(6min, 0.5, 0.3).told() == "01:00 error-burn breached; 05:00 error-rate breached");
  CHECK(after_a_good_release(500).users(6min, 500, 0.3).told() == "01:00 error-burn breached; 05:00 error-rate breached");
}

TEST_CASE("one_error_in_a_hundred_is_nobodys_business") {
  CHECK(after_a_good_release(10).users(15min, 10, 0.01).told().empty());
}

TEST_CASE("a_bad_first_second_is_no_breach") {
  CHECK(after_a_good_release(50).users(1s, 50, 1).users(15min, 50, 0).told().empty());
}

TEST_CASE("what_loses_less_than_fifteen_seconds_worth_of_requests_is_no_breach") {
  CHECK(after_a_good_release(50).users(20s, 50, 0.3).users(15min, 50, 0).told().empty());
  CHECK(after_a_good_release(50).users(1min, 50, 0.1).users(15min, 50, 0).told().empty());
}

TEST_CASE("a_breach_whose_errors_cease_ends_within_a_minute") {
  CHECK(after_a_good_release(50).users(4min, 50, 0.3).users(15min, 50, 0).told() == "01:00 error-burn breached; 04:53 error-burn ok");
}

TEST_CASE("traffic_that_stops_keeps_a_breach_and_is_said") {
  const std::string blind = "01:00 error-burn breached; 05:15 error-rate blind";
  CHECK(after_a_good_release(50).users(3min, 50, 0.3).users(12min, 0, 0).told() == blind);
  CHECK(after_a_good_release(50).users(3min, 50, 0.3).silent(12min).told() == blind);  // the same where the log is silent
}

TEST_CASE("nobody_is_blind_whose_windows_fill") {
  CHECK(after_a_good_release(50).users(4min, 0, 0).users(10min, 50, 0).told().empty());
  CHECK(after_a_good_release(50).users(10min, 0, 0).told() == "04:30 error-rate blind");
}

TEST_CASE("a_deadlocked_release_is_out_after_twenty_seconds") {
  CHECK(after_a_good_release(50).users(1min, 50, 1, 5).told() == "00:20 error-burn breached; 00:40 latency-burn breached");
  CHECK(after_a_good_release(1).users(1min, 1, 1, 5).told() == "00:20 error-burn breached; 00:40 latency-burn breached");
}

TEST_CASE("two_cold_minutes_of_some_slow_requests_are_forgiven_five_are_not") {
  CHECK(after_a_good_release(50).some_slow(2min, 50, 0.15).users(15min, 50, 0).told().empty());
  CHECK(after_a_good_release(50).some_slow(15min, 50, 0.15).told() == "05:00 latency breached");
}

TEST_CASE("a_release_that_is_no_worse_than_the_one_before_asks") {
  night errors_before;
  errors_before.users(0s, 50, 0.08).cut_over().users(6min, 50, 0.08);
  CHECK(errors_before.told() == "00:00 error-rate unknown; 05:00 error-rate breached (no worse than before)");
}

TEST_CASE("an_incident_before_the_cutover_that_was_as_bad_asks_and_one_that_was_half_as_bad_does_not") {
  for (const auto& [was, says] : {std::pair{0.3, " (no worse than before)"}, {0.1, ""}}) {
    night with_incident;
    with_incident.users(-6min, 50, 0).users(-1min, 50, was).users(0s, 50, 0).cut_over().users(2min, 50, 0.3);
    CHECK(with_incident.told() == fmt::format("00:00 error-rate unknown; 01:00 error-burn breached{}", says));
  }
}

TEST_CASE("errors_that_begin_late_breach_inside_the_window") {
  CHECK(after_a_good_release(50).users(10min + 30s, 50, 0).users(13min, 50, 0.3).told() == "11:21 error-burn breached");
}

TEST_CASE("an_agent_that_stood_still_for_three_minutes_judges_what_it_sees_then") {
  CHECK(after_a_good_release(50).users(30s, 50, 0.3).unwatched(4min).users(15min, 50, 0).told().empty());
  CHECK(after_a_good_release(50).users(30s, 50, 0.3).unwatched(4min).users(8min, 50, 0.3).told() == "04:49 error-burn breached");
}

TEST_CASE("a_clock_that_steps_by_an_hour_changes_nothing") {
  const auto told = [](hours step) { return after_a_good_release(50).users(40s, 50, 0.3).reload(step).users(2min, 50, 0.3).told(); };
  CHECK(told(0h) == "01:00 error-burn breached");
  CHECK(told(1h) == told(0h));
  CHECK(told(-1h) == told(0h));
}
