#pragma once

#include "flipback/signal.hpp"

#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace flipback::rules {

/// Every signal that the configured probes can give, by name. Needed while rules are compiled, not after.
class catalogue {
 public:
  void add(signal s) {
    if (by_name_.contains(s.name)) return;
    signals_.push_back(std::move(s));
    by_name_.emplace(signals_.back().name, &signals_.back());
  }
  [[nodiscard]] const signal* find(std::string_view name) const {
    const auto at = by_name_.find(name);
    return at == by_name_.end() ? nullptr : at->second;
  }
  [[nodiscard]] const std::deque<signal>& all() const { return signals_; }

 private:
  std::deque<signal> signals_;  ///< a deque: the map points into it
  std::unordered_map<std::string_view, const signal*> by_name_;
};

}  // namespace flipback::rules
