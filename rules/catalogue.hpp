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
  /// A signal that a probe could give if it were configured otherwise.
  void lack(std::string name, std::string why) { lacking_.emplace(std::move(name), std::move(why)); }
  /// Why there is none of that name; empty: no probe knows of it.
  [[nodiscard]] std::string why_lacking(const std::string& name) const {
    const auto at = lacking_.find(name);
    return at == lacking_.end() ? std::string() : at->second;
  }
  [[nodiscard]] const signal* find(std::string_view name) const {
    const auto at = by_name_.find(name);
    return at == by_name_.end() ? nullptr : at->second;
  }
  [[nodiscard]] const std::deque<signal>& all() const { return signals_; }

 private:
  std::deque<signal> signals_;  ///< a deque: the map points into it
  std::unordered_map<std::string_view, const signal*> by_name_;
  std::unordered_map<std::string, std::string> lacking_;
};

}  // namespace flipback::rules
