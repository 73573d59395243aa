#include "rules/built_in.hpp"

#include "rules/engine.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace flipback;
using namespace flipback::rules;

namespace {

struct given {
  catalogue signals;

  given&& with(const std::string& name, unit in, signal_kind kind = signal_kind::gauge) && {
    signals.add({name, kind, in, std::chrono::seconds(30), 0, name});
    return std::move(*this);
  }
  [[nodiscard]] rule_set set(std::span<const rule_source> own = {}) const { return with_built_ins(own, signals, false); }
  [[nodiscard]] std::vector<std::string> on(std::span<const rule_source> own = {}) const {
    std::vector<std::string> names;
    for (const rule_source& r : set(own).on) names.push_back(r.name);
    return names;
  }
  [[nodiscard]] std::string why_off(std::string_view rule) const {
    for (const switched_off& o : set().off) {
      if (o.name == rule) return o.why;
    }
    return "it is on";
  }
};

/// What the rule of this name says to these values of its signal, one a second.
std::vector<verdict> verdicts(const given& from, std::string_view rule, const std::string& signal, std::initializer_list<double> values) {
  settings::diagnostics problems;
  engine judged(compile(from.set().on, from.signals, problems));
  REQUIRE(problems.clean());
  const auto at = std::ranges::find(judged.rules(), rule, [](const auto& r) { return r.from.name; });
  REQUIRE(at != judged.rules().end());
  const auto number = static_cast<std::size_t>(at - judged.rules().begin());
  std::vector<verdict> said;
  instant now(std::chrono::hours(1000));
  verdict newest = verdict::unknown;
  for (const double value : values) {
    now += std::chrono::seconds(1);
    judged.add(*judged.series_named(signal), {now, now, value});
    for (const change& c : judged.settle(now)) {
      if (c.rule == number) newest = c.to;
    }
    said.push_back(newest);
  }
  return said;
}

using names = std::vector<std::string>;
using enum verdict;

}  // namespace

TEST_CASE("the_built_in_disk_is_one_rule_for_each_probe_that_measures_free_space") {
  const given two =
      given().with("disk.free_ratio", unit::ratio).with("disk.inodes_free_ratio", unit::ratio).with("data.free_ratio", unit::ratio);
  CHECK(two.on() == names{"disk:disk", "disk:data"});
}

TEST_CASE("the_built_in_disk_begins_below_20_percent_and_ends_at_25") {
  const given one = given().with("data.free_ratio", unit::ratio);
  CHECK(verdicts(one, "disk:data", "data.free_ratio", {0.2, 0.199, 0.2, 0.249, 0.25, 0.2}) ==
        std::vector{ok, breached, breached, breached, ok, ok});
}

TEST_CASE("the_built_in_backup_is_for_the_age_of_what_is_called_a_backup") {
  const given some = given()
                         .with("backup.age", unit::seconds)
                         .with("backup.size", unit::bytes)
                         .with("minio.backups-db.age", unit::seconds)
                         .with("minio.backups-media.age", unit::seconds)
                         .with("minio.documents.age", unit::seconds)
                         .with("old-backup.age", unit::seconds)
                         .with("report.age", unit::seconds);
  CHECK(some.on() == names{"backup:backup", "backup:minio.backups-db", "backup:minio.backups-media"});
}

TEST_CASE("the_built_in_backup_begins_after_24_hours_and_ends_with_a_younger_one") {
  const given one = given().with("backup.age", unit::seconds);
  constexpr double hour = 3600;
  CHECK(verdicts(one, "backup:backup", "backup.age", {24 * hour, 24 * hour + 1, 20 * hour, 60}) == std::vector{ok, breached, breached, ok});
}

TEST_CASE("a_number_that_only_has_the_name_of_a_free_ratio_or_an_age_makes_no_rule") {
  const given odd = given()
                        .with("queue.free_ratio", unit::bytes)
                        .with("backup.age", unit::number)
                        .with("backups.age", unit::seconds, signal_kind::counter);
  CHECK(odd.on().empty());
}

TEST_CASE("built_ins_of_which_there_is_one_a_signal_are_off_without_any_and_say_why") {
  const given nothing = given().with("api.up", unit::number, signal_kind::outcome);
  CHECK(nothing.on() == names{"down:api"});
  CHECK(nothing.why_off("disk") == "no probe gives a free_ratio");
  CHECK(nothing.why_off("backup") == "no probe gives the age of something whose name begins with backup");
  CHECK(nothing.why_off("certificate") == "no probe sees a certificate");
  CHECK(given().with("api.certificate_left", unit::seconds).why_off("certificate") == "it is on");
}

TEST_CASE("a_rule_of_ones_own_takes_the_place_of_all_that_a_built_in_would_be") {
  const given two = given().with("disk.free_ratio", unit::ratio).with("data.free_ratio", unit::ratio);
  rule_source own;
  own.name = "disk";
  own.when = {"data.free_ratio < 5%", {}};
  CHECK(two.on({&own, 1}) == names{"disk"});
  own.enabled = false;
  CHECK(two.on({&own, 1}).empty());
}

TEST_CASE("a_critical_probe_is_held_against_both_slots_and_what_asks_a_slot_alone_is_no_service_that_is_down") {
  given from;
  for (const char* up :
       {"login.up", "login.live.up", "login.stable.up", "live.up", "stable.up", "front_door.up", "unstable.up", "alive.up"})
    from.signals.add({up, signal_kind::outcome, unit::number, std::chrono::seconds(30), 0, up});
  const rule_set set = with_built_ins({}, from.signals, true);
  std::vector<std::pair<std::string, std::string>> critical;
  names down;
  for (const rule_source& r : set.on) {
    if (r.name.starts_with("critical-function:")) critical.emplace_back(r.name, r.when.text);
    if (r.name.starts_with("down:")) down.push_back(r.name);
  }
  CHECK(critical == std::vector<std::pair<std::string, std::string>>{
                        {"critical-function:front_door", "front_door.up == 0 and stable.up == 1"},
                        {"critical-function:live", "live.up == 0 and stable.up == 1"},
                        {"critical-function:login", "login.up == 0 and login.live.up == 0 and login.stable.up == 1"}});
  CHECK(down == names{"down:login", "down:unstable", "down:alive"});
}

TEST_CASE("without_a_share_of_slow_requests_latency_is_by_the_quantile") {
  catalogue signals;
  signals.add({"traffic.p95", signal_kind::distribution, unit::seconds, std::chrono::seconds(15), 0.95, "traffic.latencies"});
  const auto by_quantile = with_built_ins({}, signals, true);
  const auto found = std::ranges::find(by_quantile.on, "latency", &rule_source::name);
  REQUIRE(found != by_quantile.on.end());
  CHECK(found->when.text.starts_with("traffic.p95 over 5m"));
  CHECK(std::ranges::find(by_quantile.off, "latency-burn", &switched_off::name) != by_quantile.off.end());
}

TEST_CASE("who_has_switched_outage_off_has_no_error_burn") {
  catalogue signals;
  signals.add({"traffic.error_rate", signal_kind::ratio, unit::ratio, std::chrono::seconds(15), 0, "traffic.error_rate"});
  rule_source outage;
  outage.name = "outage";
  outage.enabled = false;
  const auto has_burn = [&](std::span<const rule_source> own) {
    const auto set = with_built_ins(own, signals, true);
    return std::ranges::find(set.on, "error-burn", &rule_source::name) != set.on.end();
  };
  CHECK(has_burn({}));
  CHECK_FALSE(has_burn({&outage, 1}));
}
