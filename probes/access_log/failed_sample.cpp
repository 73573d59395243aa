#include "probes/access_log/failed_sample.hpp"

#include <utility>

namespace flipback::access_log {

namespace {

std::size_t below(std::uint64_t limit, std::minstd_rand& chance) {
  return static_cast<std::size_t>(std::uniform_int_distribution<std::uint64_t>(0, limit - 1)(chance));
}

failed_sample::one taken_from(std::vector<failed_sample::one>& list, std::minstd_rand& chance) {
  std::swap(list[below(list.size(), chance)], list.back());
  failed_sample::one last = std::move(list.back());
  list.pop_back();
  return last;
}

}  // namespace

void failed_sample::add(one failed, std::minstd_rand& chance) {
  ++seen_;
  if (kept_.size() < most) {
    kept_.push_back(std::move(failed));
    return;
  }
  if (const std::size_t place = below(seen_, chance); place < most) kept_[place] = std::move(failed);
}

void failed_sample::merge(failed_sample other, std::minstd_rand& chance) {
  // Each that was kept stands for as many as were seen for one kept.
  const double ours = kept_.empty() ? 0 : static_cast<double>(seen_) / static_cast<double>(kept_.size());
  const double theirs = other.kept_.empty() ? 0 : static_cast<double>(other.seen_) / static_cast<double>(other.kept_.size());
  std::vector<one> merged;
  while (merged.size() < most && !(kept_.empty() && other.kept_.empty())) {
    const double our_weight = ours * static_cast<double>(kept_.size());
    const double their_weight = theirs * static_cast<double>(other.kept_.size());
    const bool from_ours = std::uniform_real_distribution<double>(0, our_weight + their_weight)(chance) < our_weight;
    merged.push_back(taken_from((from_ours || other.kept_.empty()) && !kept_.empty() ? kept_ : other.kept_, chance));
  }
  kept_ = std::move(merged);
  seen_ += other.seen_;
}

}  // namespace flipback::access_log
