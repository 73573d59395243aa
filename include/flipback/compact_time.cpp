#include "flipback/compact_time.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace flipback {

std::string compact_time(wall_time at) {
  const auto precise = std::chrono::floor<std::chrono::milliseconds>(at);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(precise);
  return fmt::format("{:%Y%m%dT%H%M%S}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)), (precise - seconds).count());
}

}  // namespace flipback
