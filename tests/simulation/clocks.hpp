#pragma once

#include "agent/deployment/slots.hpp"

namespace flipback::simulation {

using deployment::moment;

/// The machine's two clocks: the monotonic one begins anew at each boot, the wall's goes on, and can be set.
class clocks {
 public:
  [[nodiscard]] moment at(duration now) const {
    return {instant(uptime_then_ + (now - booted_)), wall_time(std::chrono::duration_cast<wall_time::duration>(calendar + now + skew_))};
  }
  /// The time in the story at which the monotonic clock says that.
  [[nodiscard]] duration since_beginning(instant at) const { return at.time_since_epoch() - uptime_then_ + booted_; }
  [[nodiscard]] unsigned boot() const { return boot_; }
  void reboot(duration now, duration uptime) {
    booted_ = now;
    uptime_then_ = uptime;
    ++boot_;
  }
  void set_back(duration by) { skew_ -= by; }

 private:
  static constexpr duration calendar = std::chrono::hours(24) * 365 * 50;
  duration booted_{};
  duration uptime_then_ = std::chrono::hours(100);
  duration skew_{};
  unsigned boot_ = 1;
};

}  // namespace flipback::simulation
