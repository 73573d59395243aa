#include "probes/access_log/heavy_hitters.hpp"

#include <algorithm>

namespace flipback::access_log {

void heavy_hitters::add(std::string_view key, std::uint64_t times) {
  total_ += times;
  key = key.substr(0, longest_key);
  if (const auto at = counts_.find(key); at != counts_.end())
    at->second += times;
  else
    counts_.emplace(key, times);
  if (counts_.size() > most_kept) make_room();
}

void heavy_hitters::merge(const heavy_hitters& other) {
  total_ += other.total_;
  for (const auto& [key, count] : other.counts_) counts_[key] += count;
  if (counts_.size() > most_kept) make_room();
}

/// Takes from every key what the largest that can't be kept has: each time it is taken from more than `most_kept` keys at once, which is
/// where the bound comes from.
void heavy_hitters::make_room() {
  std::vector<std::uint64_t> sorted;
  for (const auto& [key, count] : counts_) sorted.push_back(count);
  std::ranges::nth_element(sorted, sorted.begin() + most_kept, std::ranges::greater{});
  const std::uint64_t taken = sorted[most_kept];
  std::erase_if(counts_, [&](const auto& each) { return each.second <= taken; });
  for (auto& [key, count] : counts_) count -= taken;
}

std::vector<std::pair<std::string, std::uint64_t>> heavy_hitters::largest(std::size_t most) const {
  std::vector<std::pair<std::string, std::uint64_t>> all(counts_.begin(), counts_.end());
  std::ranges::sort(all, [](const auto& a, const auto& b) { return a.second != b.second ? a.second > b.second : a.first < b.first; });
  if (all.size() > most) all.resize(most);
  return all;
}

}  // namespace flipback::access_log
