#pragma once

#include "flipback/units.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace flipback::simulation {

/// What will happen, and the virtual time: nothing waits, the next thing simply is next. Things of one instant happen in the order in which
/// they were put down.
class agenda {
 public:
  /// Since the story began.
  [[nodiscard]] duration now() const { return now_; }

  void after(duration wait, std::function<void()> what) {
    entries_.push_back({now_ + std::max(wait, duration{}), next_++, std::move(what)});
    std::ranges::push_heap(entries_, later);
  }
  /// Lets the next thing happen, unless it comes after `until`.
  bool next(duration until) {
    if (entries_.empty() || entries_.front().at > until) {
      now_ = std::max(now_, until);
      return false;
    }
    std::ranges::pop_heap(entries_, later);
    entry e = std::move(entries_.back());
    entries_.pop_back();
    now_ = e.at;
    e.what();
    return true;
  }

 private:
  struct entry {
    duration at;
    std::uint64_t number;
    std::function<void()> what;
  };
  static bool later(const entry& a, const entry& b) { return a.at != b.at ? a.at > b.at : a.number > b.number; }

  duration now_{};
  std::uint64_t next_ = 0;
  std::vector<entry> entries_;
};

}  // namespace flipback::simulation
