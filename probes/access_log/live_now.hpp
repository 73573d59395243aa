#pragma once

#include "flipback/probe.hpp"

#include "probes/access_log/traffic.hpp"

#include <memory>
#include <optional>

namespace flipback::access_log {

/// What the agent tells of the live slot, as a log's reader needs it: on the clock that lines are written by, and whether it has changed.
class live_now {
 public:
  explicit live_now(std::shared_ptr<const live_facts> told);

  /// From here on a turn is news; what is told by now is so from the start.
  void start() { turn_ = told_ ? told_->turn : 0; }
  /// Whether another slot or release has gone live since the last call. Then it was told at `now`, as far as a reader can know.
  bool has_turned(instant now);
  /// Which slot counts, and from when on. The wall's clock may have been set meanwhile, so it is asked each time: what lies so long ago on
  /// the steady clock lies so long ago on the wall's.
  [[nodiscard]] traffic::live as_of(instant now, double wall) const;
  /// When it was told; zero: it was so from the start.
  [[nodiscard]] instant told_at() const { return told_at_; }
  [[nodiscard]] bool is_known() const { return told_ && told_->slot; }
  [[nodiscard]] bool is_anew() const { return told_ && told_->anew; }

 private:
  std::shared_ptr<const live_facts> told_;
  std::uint64_t turn_;
  instant told_at_{};
};

}  // namespace flipback::access_log
