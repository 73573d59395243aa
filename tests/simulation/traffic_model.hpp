#pragma once

#include "flipback/units.hpp"

#include "tests/simulation/nginx_model.hpp"

#include <vector>

namespace flipback::simulation {

/// What users really got, second by second: nginx's log writes it down, whoever reads it.
class traffic_model {
 public:
  static constexpr double requests_a_second = 20;
  struct second {
    duration ends{};
    std::vector<double> requests;  ///< by slot
    std::vector<double> errors;
  };

  void take(duration now, const nginx_model& nginx, const slots_model& slots) {
    second s{now, nginx.users(), {}};
    for (slot_number n = 0; n < s.requests.size(); ++n) {
      s.requests[n] *= requests_a_second;
      s.errors.push_back(s.requests[n] * slots.failing(n));
    }
    seconds_.push_back(std::move(s));
  }
  [[nodiscard]] const std::vector<second>& all() const { return seconds_; }

 private:
  std::vector<second> seconds_;
};

}  // namespace flipback::simulation
