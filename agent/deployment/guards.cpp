#include "agent/deployment/guards.hpp"

#include <fmt/format.h>

namespace flipback::deployment {

guard_answer ask_guards(const circumstances& now) {
  const auto blocked = [](std::string_view guard, std::string says) {
    return guard_answer{guarded::blocked, std::string(guard), std::move(says)};
  };
  const auto say = [](std::string_view guard, std::string says) {
    return guard_answer{guarded::only_say, std::string(guard), std::move(says)};
  };
  if (now.rolling) return blocked("rollback", "a rollback is under way");
  if (now.mixed) return say("mixed", "users reach both slots by turns: nothing is rolled back");
  if (!now.no_way_back.empty()) return say("stable", now.no_way_back);
  if (!now.latched.empty()) return say("latch", now.latched);
  if (!now.window_open) return say("window", "the rollback window is closed");
  if (!now.held.empty()) return blocked("hold", now.held);
  if (!now.unfit.empty()) return say("evidence", now.unfit);
  if (!now.withheld.empty()) return blocked("unless", fmt::format("withheld while {}", now.withheld));
  if (now.stable_healthy == 0)
    return blocked("healthy", fmt::format("{} is sick too ({}): rolling back would not help", now.stable, now.stable_says));
  if (now.stable_healthy < now.confirm) {
    return blocked("confirm", fmt::format("{} has answered well {} of {} times in a row", now.stable, now.stable_healthy, now.confirm));
  }
  if (now.mode == config::mode::observe) return say("mode", "mode is observe: nothing is changed");
  if (now.not_this_release) return say("ask", "the condition was true before the cutover already: this release may not be to blame");
  if (now.failed_before) return say("ask", "this release was rolled back within the last 24 h and brought back by someone");
  if (!now.client.empty()) return say("client", fmt::format("{}: a person decides", now.client));
  if (now.mode == config::mode::ask) return say("ask", "mode is ask: a person decides");
  return {};
}

}  // namespace flipback::deployment
