#pragma once

#include "flipback/event.hpp"

#include "agent/deployment/slots.hpp"

#include <boost/json/array.hpp>

#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <utility>

namespace flipback::notify {

/// Which events people are told of that belong to no incident and to no rule: that a rollback would lack something, that the configuration
/// was refused, that nothing is on record. The same one is told once in six hours, and of those that are not critical no more than ten in one. Pure.
class notices {
 public:
  static constexpr duration same_again_after = std::chrono::hours(6);
  static constexpr std::size_t most_an_hour = 10;

  /// Whether it is to be told now.
  bool take(const event& e, instant now);
  /// How many were not told since this was asked last, as there were too many.
  std::size_t take_left_out() { return std::exchange(left_out_, 0); }

  [[nodiscard]] boost::json::array kept(const deployment::moment& now) const;
  /// What can't be read of it is left out.
  void restore(const boost::json::array& from, const deployment::moment& now);

 private:
  std::map<std::string, instant> told_;
  std::deque<instant> newest_;  ///< of the last hour
  std::size_t left_out_ = 0;
};

}  // namespace flipback::notify
