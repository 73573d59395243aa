#pragma once

#include "agent/deployment/sighting.hpp"
#include "tests/simulation/setup.hpp"

#include <string>
#include <vector>

namespace flipback::simulation {

/// The running copies of the API.
class slots_model {
 public:
  enum class condition : std::uint8_t {
    well,
    bad,   ///< its health is well, and users get errors
    sick,  ///< its health fails, too
    slow,  ///< it answers after everybody has hung up
    stopped
  };
  struct slot {
    std::string release;
    condition is = condition::well;
    condition when_started = condition::well;
    double errors = 0.9;  ///< share, where bad
    duration since{};     ///< of its condition
    duration deployed{};  ///< of its release
  };

  explicit slots_model(const setup& how);

  [[nodiscard]] const slot& at(slot_number n) const { return slots_[n]; }
  [[nodiscard]] std::size_t count() const { return slots_.size(); }
  void fail_by(slot_number n, double share) { slots_[n].errors = share; }
  void become(slot_number n, condition c, duration now);
  void deploy(slot_number n, std::string release, condition quality, duration now);
  /// The share of users' requests that fail there.
  [[nodiscard]] double failing(slot_number n) const;
  [[nodiscard]] bool is_well(slot_number n) const;
  [[nodiscard]] deployment::reply reply_of(slot_number n) const;
  [[nodiscard]] deployment::slot_reply asked_directly(slot_number n) const;

 private:
  const setup& how_;
  std::vector<slot> slots_;
};

std::string_view name_of(slots_model::condition c);

}  // namespace flipback::simulation
