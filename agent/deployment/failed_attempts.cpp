// How long what has failed waits until it is tried again, and what is said of it.

#include "flipback/doubled_wait.hpp"

#include "agent/deployment/guards.hpp"
#include "agent/deployment/state.hpp"
#include "agent/deployment/terms.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace flipback::deployment {

duration wait_after(const failed_attempts& f) {
  return doubled_wait(f.count, ask_again_every, longest_wait_to_try_again);
}

std::string text_of(const failed_attempts& f, const moment& now) {
  const auto clock = [](wall_time at) { return fmt::gmtime(std::chrono::system_clock::to_time_t(at)); };
  const duration left = f.newest.at + wait_after(f) - now.at;
  const std::string next =
      left > duration{} ? fmt::format("next at {:%H:%M:%S} UTC", clock(now.wall + std::chrono::duration_cast<wall_time::duration>(left)))
                        : std::string("next once nothing is in the way");
  return fmt::format("attempt {} of {} failed at {:%H:%M:%S} UTC, {}", f.count, f.rule, clock(f.newest.wall), next);
}

}  // namespace flipback::deployment
