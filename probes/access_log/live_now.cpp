#include "probes/access_log/live_now.hpp"

#include <utility>

namespace flipback::access_log {

live_now::live_now(std::shared_ptr<const live_facts> told) : told_(std::move(told)), turn_(told_ ? told_->turn : 0) {}

bool live_now::has_turned(instant now) {
  if (!told_ || std::exchange(turn_, told_->turn) == told_->turn) return false;
  told_at_ = now;
  return true;
}

traffic::live live_now::as_of(instant now, double wall) const {
  if (!told_) return {};
  const auto on_the_wall = [&](instant at) { return wall - to_seconds(now - at); };
  return {.slot = told_->slot,
          .since = told_->since ? std::optional(on_the_wall(*told_->since)) : std::nullopt,
          .anew = told_->anew ? std::optional(on_the_wall(*told_->anew)) : std::nullopt};
}

}  // namespace flipback::access_log
