#include "agent/replay/queried.hpp"

#include "agent/replay/moments.hpp"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace flipback::replay {

namespace {

/// The times between which samples lie.
class steps {
 public:
  explicit steps(const std::vector<std::int64_t>& times)
      : step_(std::chrono::duration_cast<std::chrono::milliseconds>(step_of(times).value_or(duration())).count()) {}

  /// The sample at the next time, without a value yet.
  [[nodiscard]] sample at(std::int64_t time, duration covers) const {
    return {instant_of(last_.value_or(time - step_)) - covers, instant_of(time), std::nullopt, false};
  }
  /// Whether samples are missing before this one.
  [[nodiscard]] bool has_gap(std::int64_t time) const { return last_ && 2 * (time - *last_) > 3 * step_; }
  /// What a query would have given where the first of them is missing.
  [[nodiscard]] sample missing() const { return {instant_of(*last_), instant_of(*last_ + step_), std::nullopt, false}; }
  void go_to(std::int64_t time) { last_ = time; }

 private:
  std::int64_t step_;
  std::optional<std::int64_t> last_;
};

/// The series that have a sample at a time, as the probe's query would have given them.
std::vector<prometheus::element> elements_at(std::int64_t time, tracks& of) {
  std::vector<prometheus::element> made;
  for (auto& [unused, one] : of.all()) {
    const auto value = one.values.find(time);
    if (value != one.values.end()) made.push_back({one.of.labels, value->second, {}, false});
  }
  return made;
}

}  // namespace

std::expected<void, std::string> tracks::add(std::string_view answer, bool alone) {
  if (answer.size() > most_bytes) return std::unexpected(fmt::format("has {} bytes, expected at most {}", answer.size(), most_bytes));
  const auto data = prometheus::range_data(answer);
  if (!data) return std::unexpected(data.error().says);
  const auto read = prometheus::tracks_of(*data);
  if (!read) return std::unexpected(read.error().says);
  if (alone && read->size() > 1) {
    const auto elements = prometheus::elements_of(*data);
    const auto number = elements ? prometheus::number_of(*elements) : std::unexpected(elements.error());
    if (!number) return std::unexpected(number.error().says);
  }
  for (const prometheus::track& one : *read) {
    series& into = all_[alone ? std::string() : boost::json::serialize(one.labels)];
    into.of.labels = one.labels;
    for (const prometheus::track::point& p : one.points) {
      const auto at = milliseconds_of(p.time);
      if (!at) return std::unexpected(fmt::format("has the time {}, {}, in seconds since 1970", p.time, expected_time));
      into.values.emplace(*at, p.value);
    }
  }
  return {};
}

std::vector<std::int64_t> tracks::times() const {
  std::set<std::int64_t> all;
  for (const auto& [unused, one] : all_) {
    for (const auto& [time, value] : one.values) all.insert(all.end(), time);
  }
  return {all.begin(), all.end()};
}

std::optional<duration> step_of(const std::vector<std::int64_t>& times) {
  std::vector<std::int64_t> distances;
  for (std::size_t i = 1; i < times.size(); ++i) distances.push_back(times[i] - times[i - 1]);
  if (distances.empty()) return std::nullopt;
  const auto middle = distances.begin() + static_cast<std::ptrdiff_t>(distances.size() / 2);
  std::ranges::nth_element(distances, middle);
  return std::chrono::milliseconds(*middle);
}

std::vector<sample> samples_of(tracks& value, duration covers) {
  std::vector<sample> made;
  steps through(value.times());
  for (const auto& [time, number] : value.all().begin()->second.values) {
    if (through.has_gap(time)) made.push_back(through.missing());
    sample s = through.at(time, covers);
    if (number) s.value = *number;
    made.push_back(std::move(s));
    through.go_to(time);
  }
  return made;
}

std::vector<sample> samples_of(tracks& numerator, tracks& denominator, duration covers) {
  std::vector<std::int64_t> times = numerator.times();
  const std::vector<std::int64_t> more = denominator.times();
  times.insert(times.end(), more.begin(), more.end());
  std::ranges::sort(times);
  const auto twice = std::ranges::unique(times);
  times.erase(twice.begin(), twice.end());
  std::vector<sample> made;
  steps through(times);
  prometheus::growth counters;
  bool looked = false;  // whether the step before saw the counters: else what came meanwhile would count as if it had come now
  for (const std::int64_t time : times) {
    if (through.has_gap(time)) {
      made.push_back(through.missing());
      looked = false;
    }
    sample s = through.at(time, covers);
    const auto all = elements_at(time, denominator);
    if (!all.empty()) {
      const pooled grown = counters.look(elements_at(time, numerator), all);
      if (looked) s.value = grown;
    }
    looked = !all.empty();
    made.push_back(std::move(s));
    through.go_to(time);
  }
  return made;
}

}  // namespace flipback::replay
