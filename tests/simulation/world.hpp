#pragma once

#include "tests/simulation/agenda.hpp"
#include "tests/simulation/clocks.hpp"
#include "tests/simulation/disk_model.hpp"
#include "tests/simulation/nginx_model.hpp"
#include "tests/simulation/slots_model.hpp"
#include "tests/simulation/store_model.hpp"
#include "tests/simulation/traffic_model.hpp"

#include <fmt/format.h>

#include <functional>
#include <string>

namespace flipback::simulation {

/// Everything that there is outside the agent. It goes on when the agent dies.
struct world {
  world(dice of, setup drawn) : chance(of), how(std::move(drawn)), slots(how), nginx(how, time, chance, disk, slots) {}
  world(const world&) = delete;
  world& operator=(const world&) = delete;

  dice chance;
  setup how;
  faults wrong;
  agenda time;
  clocks clock;
  disk_model disk;
  slots_model slots;
  nginx_model nginx;
  traffic_model traffic;
  stored_facts facts;
  stored_journal journal;
  std::uint64_t steps = 0;

  std::function<void(const std::string&)> told;  ///< who prints the story; nobody, where it is only run

  /// What the switch names, for whoever may read it.
  [[nodiscard]] deployment::intent names() const {
    return wrong.switch_unreadable ? deployment::intent{deployment::intent::kind::unreadable, 0, "permission denied", {}} : nginx.intent();
  }
  [[nodiscard]] moment now() const { return clock.at(time.now()); }
  [[nodiscard]] deployment::clocks both_clocks() const { return {std::to_string(clock.boot()), now()}; }
  template <typename... Args>
  void tell(fmt::format_string<Args...> text, Args&&... args) {
    if (told) told(fmt::format("{:10.4f}  {}", to_seconds(time.now()), fmt::format(text, std::forward<Args>(args)...)));
  }
};

}  // namespace flipback::simulation
