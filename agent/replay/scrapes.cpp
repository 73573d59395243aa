#include "agent/replay/scrapes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>

namespace flipback::replay {

namespace {

constexpr std::string_view up = "up";
constexpr std::string_view process_start = "process_start_time_seconds";

std::string_view value_in(const std::vector<exposition::label>& labels, std::string_view name) {
  const auto at = std::ranges::find(labels, name, &exposition::label::name);
  return at == labels.end() ? std::string_view() : at->value;
}

std::string at_line(std::size_t line, std::string_view says) {
  return fmt::format("line {}: {}", line, says);
}

}  // namespace

exposition::format format_of(std::string_view text) {
  constexpr std::string_view eof = "# EOF";
  const std::size_t last = text.find_last_not_of(" \t\r\n");
  const bool ends = last != std::string_view::npos && text.substr(0, last + 1).ends_with(eof);
  return ends ? exposition::format::openmetrics : exposition::format::prometheus;
}

std::expected<std::size_t, std::string> scrapes::read(std::string_view text) {
  exposition::reader from(text, format_of(text), most);
  std::string newest_written;
  std::optional<std::uint32_t> newest;
  std::size_t all = 0;
  std::size_t looked_at = 0;
  for (;;) {
    const auto more = from.next();
    if (!more) return std::unexpected(to_string(more.error()));
    if (!*more) break;
    const exposition::item& one = from.current();
    if (one.is_type) continue;
    ++all;
    if (!one.time)
      return std::unexpected(
          at_line(from.line(), "the sample has no timestamp, expected each to have one, as promtool tsdb dump writes them"));
    const auto at = milliseconds_of(*one.time);
    if (!at)
      return std::unexpected(
          at_line(from.line(), fmt::format("the timestamp is {} s after 1970, {}: OpenMetrics, which ends with # EOF, has "
                                           "seconds, other text milliseconds",
                                           *one.time, expected_time)));
    if (one.written != newest_written) {
      newest = series_of(one);
      newest_written = one.written;
    }
    if (!newest || std::isnan(one.value)) continue;
    if (samples_.size() == most_kept)
      return std::unexpected(at_line(from.line(), fmt::format("more than {} samples are looked at", most_kept)));
    if (series_[*newest].counts) ++looked_at;
    samples_.push_back({*at, one.value, series_[*newest].target, *newest});
  }
  if (all == 0) return std::unexpected("holds no samples");
  return looked_at;
}

void scrapes::sort() {
  const auto place = [](const kept& k) { return std::tuple(k.at, k.target, k.series); };
  std::ranges::sort(samples_, {}, place);
  // Two dumps that overlap have the same sample twice.
  const auto twice = std::ranges::unique(samples_, {}, place);
  samples_.erase(twice.begin(), twice.end());
}

void scrapes::each(const std::function<void(const scrape&)>& take) const {
  std::vector<exposition::item> items;
  for (auto first = samples_.begin(); first != samples_.end();) {
    const auto last = std::find_if(first, samples_.end(), [&](const kept& k) { return k.at != first->at || k.target != first->target; });
    const std::span<const kept> one(first, last);
    if (targets_[first->target].counts && !has_failed(one)) {
      items.clear();
      for (const kept& k : one) items.push_back({false, series_[k.series].name, {}, {}, series_[k.series].labels, k.value, {}});
      take({first->at, first->target, items});
    }
    first = last;
  }
}

std::optional<duration> scrapes::step() const {
  std::vector<std::int64_t> last(targets_.size(), 0);
  std::vector<std::vector<std::int64_t>> distances(targets_.size());
  each([&](const scrape& one) {
    if (last[one.target] != 0) distances[one.target].push_back(one.at - last[one.target]);
    last[one.target] = one.at;
  });
  std::int64_t longest = 0;
  for (auto& of : distances) {
    if (of.empty()) continue;
    const auto middle = of.begin() + static_cast<std::ptrdiff_t>(of.size() / 2);
    std::ranges::nth_element(of, middle);
    longest = std::max(longest, *middle);
  }
  return longest == 0 ? std::nullopt : std::optional<duration>(std::chrono::milliseconds(longest));
}

bool scrapes::has_failed(std::span<const kept> one) const {
  return std::ranges::any_of(one, [&](const kept& k) { return series_[k.series].is_up && k.value == 0; });
}

/// The number of a series, whichever order its labels have; nothing where nobody wants it.
std::optional<std::uint32_t> scrapes::series_of(const exposition::item& of) {
  const bool is_up = of.name == up;
  if (!is_up && !is_wanted_(of.name)) return std::nullopt;
  std::vector<exposition::label> labels(of.labels.begin(), of.labels.end());
  std::ranges::sort(labels, {}, &exposition::label::name);
  std::string key(of.name);
  for (const exposition::label& l : labels) key += fmt::format("\n{}={}", l.name, l.value);
  const auto [at, is_new] = series_by_key_.try_emplace(std::move(key), static_cast<std::uint32_t>(series_.size()));
  if (!is_new) return at->second;
  series& made = series_.emplace_back();
  made.target = target_of(labels);
  made.is_up = is_up;
  made.counts = !is_up && of.name != process_start;
  targets_[made.target].counts = targets_[made.target].counts || made.counts;
  // The key is the name, then "\nname=value" of each label.
  std::string_view rest = at->first;
  made.name = rest.substr(0, of.name.size());
  rest.remove_prefix(of.name.size());
  for (const exposition::label& l : labels) {
    made.labels.push_back({rest.substr(1, l.name.size()), rest.substr(l.name.size() + 2, l.value.size())});
    rest.remove_prefix(l.name.size() + l.value.size() + 2);
  }
  return at->second;
}

std::uint32_t scrapes::target_of(const std::vector<exposition::label>& labels) {
  std::string key = fmt::format("{}\n{}", value_in(labels, "job"), value_in(labels, "instance"));
  const auto [at, is_new] = targets_by_key_.try_emplace(std::move(key), static_cast<std::uint32_t>(targets_.size()));
  if (is_new) targets_.emplace_back();
  return at->second;
}

}  // namespace flipback::replay
