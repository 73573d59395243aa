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
  // As if they were drawn one by one from all that both have seen; what was kept of a side is as good as any of it.
  std::uint64_t ours = seen_;
  std::uint64_t theirs = other.seen_;
  std::vector<one> merged;
  while (merged.size() < most && ours + theirs > 0) {
    const bool from_ours = below(ours + theirs, chance) < ours;
    --(from_ours ? ours : theirs);
    merged.push_back(taken_from(from_ours ? kept_ : other.kept_, chance));
  }
  kept_ = std::move(merged);
  seen_ += other.seen_;
}

}  // namespace flipback::access_log
