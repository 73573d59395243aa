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
    for (; now_ < until; now_ += 1s) one_second(rps, share, latency);
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
      all.push_back(fmt::format("{:02}:{:02}{} {} {}{}", at / 60'000, at / 1000 % 60,
                                at % 1000 == 0 ? "" : fmt::format(".{:03}", at % 1000), of.name, says,
                                c.not_this_release ? " (not this release)" : ""));
    };
    for (const replay::entry& e : entries_) playing.take(e, hear);
    playing.end(hear);
    for (const settings::problem& p : problems.sorted()) all.push_back(to_string(p));
    return fmt::format("{}", fmt::join(all, "; "));
  }

 private:
  enum series : std::uint32_t { errors, latencies, stable };

  void begin(bool continues, hours step) {
    tell(replay::beginning{cutover + now_, wall_time(1795762000s) + now_ + step, continues});
    tell(replay::declared{errors, {"traffic.error_rate", signal_kind::ratio, unit::ratio, 15s, 0, "traffic.error_rate"}});
    tell(replay::declared{latencies, {"traffic.p95", signal_kind::distribution, unit::seconds, 15s, 0.95, "traffic.latencies"}});
    tell(replay::declared{stable, {"stable.up", signal_kind::outcome, unit::number, 3s, 0, "stable.up"}});
  }
  void tell(replay::entry e) { entries_.push_back(std::move(e)); }

  /// Fractions of a request add up: at 0.5 a second one comes every other second; and so do errors.
  void one_second(double rps, double share, double latency) {
    const double requests = whole(rps, request_rest_);
    const double bad = std::min(requests, whole(requests * share, error_rest_));
    const instant at = cutover + now_ + 1s;
    sketch seen;
    if (requests > 0) seen.add(latency, static_cast<std::uint64_t>(requests));
    tell(replay::sampled{errors, {at - 1s, at, pooled{bad, requests}, requests == 0}});
    tell(replay::sampled{latencies, {at - 1s, at, std::make_shared<const sketch>(seen), requests == 0}});
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
};

/// Ten good minutes, then the cutover.
night after_a_good_release(double rps) {
  night made;
  made.users(0s, rps, 0).cut_over();
  return made;
}

}  // namespace

TEST_CASE("a_third_of_errors_at_one_request_every_two_seconds") {
  CHECK(after_a_good_release(0.5).users(15min, 0.5, 0.3).told() ==
        "01:40 error-rate pending; 02:00 outage blind; 05:00 error-rate breached");
}

TEST_CASE("one_error_in_a_hundred_is_nobodys_business") {
  CHECK(after_a_good_release(10).users(15min, 10, 0.01).told().empty());
}

TEST_CASE("four_bad_minutes_that_pass_are_no_breach") {
  CHECK(after_a_good_release(50).users(4min, 50, 0.3).users(15min, 50, 0).told() == "00:01 error-rate pending");
}

TEST_CASE("traffic_that_stops_in_mid_pending_breaches_nothing_and_is_said") {
  const std::string blind = "00:01 error-rate pending; 05:15 error-rate blind; 05:15 latency blind; 05:15 outage blind";
  CHECK(after_a_good_release(50).users(3min, 50, 0.3).users(12min, 0, 0).told() == blind);
  CHECK(after_a_good_release(50).users(3min, 50, 0.3).silent(12min).told() == blind);  // the same where the log is silent
}

TEST_CASE("a_deadlocked_release_is_out_within_a_second_of_the_twentieth_who_hung_up") {
  CHECK(after_a_good_release(50).users(6min, 50, 1, 5).told() ==
        "00:01 error-rate pending; 00:01 latency pending; 00:01 outage breached; 05:00 error-rate breached; 05:00 latency breached");
  CHECK(after_a_good_release(1).users(1min, 1, 1, 5).told() == "00:20 outage breached; 00:50 error-rate pending; 00:50 latency pending");
}

TEST_CASE("where_the_stable_slot_is_ill_too_there_is_no_outage_to_flee_from") {
  CHECK(after_a_good_release(50).users(2min, 50, 0).stable_is(false).users(6min, 50, 0.9).told() ==
        "02:08 error-rate pending; 05:00 error-rate breached");  // for the guards to withhold
}

TEST_CASE("two_cold_minutes_after_a_cutover_are_forgiven_five_are_not") {
  CHECK(after_a_good_release(50).users(2min, 50, 0, 3).users(15min, 50, 0).told() == "00:01 latency pending");
  CHECK(after_a_good_release(50).users(15min, 50, 0, 3).told() == "00:01 latency pending; 05:00 latency breached");
}

TEST_CASE("errors_that_began_before_the_cutover_are_not_this_releases") {
  night errors_before;
  errors_before.users(-2min, 50, 0).users(0s, 50, 0.2).cut_over().users(6min, 50, 0.2);
  CHECK(errors_before.told() ==
        "00:00 error-rate unknown (not this release); 00:02 error-rate pending (not this release); "
        "05:00 error-rate breached (not this release)");
}

TEST_CASE("errors_that_begin_late_breach_inside_the_window") {
  CHECK(after_a_good_release(50).users(10min + 30s, 50, 0).users(15min, 50, 0.3).told() == "11:21 error-rate breached");
}

TEST_CASE("an_agent_that_stood_still_for_three_minutes_drops_what_was_pending_and_judges_what_it_sees_then") {
  CHECK(after_a_good_release(50).users(3min, 50, 0.3).unwatched(6min).users(15min, 50, 0).told() == "00:01 error-rate pending");
  CHECK(after_a_good_release(50).users(3min, 50, 0.3).unwatched(6min).users(8min, 50, 0.3).told() ==
        "00:01 error-rate pending; 06:01 error-rate breached");
}

TEST_CASE("a_clock_that_steps_by_an_hour_changes_nothing") {
  const auto told = [](hours step) { return after_a_good_release(50).users(3min, 50, 0.3).reload(step).users(8min, 50, 0.3).told(); };
  CHECK(told(0h) == "00:01 error-rate pending; 05:00 error-rate breached");
  CHECK(told(1h) == told(0h));
  CHECK(told(-1h) == told(0h));
}
