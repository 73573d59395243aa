#pragma once

#include "flipback/event.hpp"
#include "flipback/units.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace flipback::incident {

/// The value of one rule at a moment, as its deciding comparison reads it.
struct reading {
  std::string rule;
  std::optional<double> value;
  std::optional<double> threshold;
  unit in = unit::number;
};

/// One value of a trace.
struct traced {
  std::int64_t at;  ///< milliseconds of the wall's clock
  std::optional<double> value;
};

/// How the values of the rules went in the last half hour, and what happened meanwhile: for a picture of it. Bounded, whatever is told.
/// Pure.
class traces {
 public:
  static constexpr duration every = std::chrono::seconds(5);
  static constexpr duration kept_for = std::chrono::minutes(30);
  static constexpr std::size_t most_points = 360;  ///< of one rule
  static constexpr std::size_t most_marks = 200;
  static constexpr std::size_t longest_mark = 200;  ///< bytes

  /// The rules as they are now; one that is no more among them is forgotten.
  void take(const std::vector<reading>& all, wall_time at);
  /// Cutovers, rollbacks and holds are marks; other events are none.
  void take(const event& e, wall_time at);

  struct trace {
    unit in = unit::number;
    std::optional<double> threshold;  ///< the newest that was known
    std::deque<traced> points;
  };
  [[nodiscard]] const std::map<std::string, trace>& rules() const { return rules_; }
  [[nodiscard]] boost::json::object as_object() const;

 private:
  struct mark {
    std::int64_t at;
    std::string_view kind;
    std::string says;
  };

  std::map<std::string, trace> rules_;
  std::deque<mark> marks_;
};

}  // namespace flipback::incident
