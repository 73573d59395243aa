#include "agent/judging/slot_checks.hpp"

#include "agent/config/make_probes.hpp"
#include "agent/config/slot_twins.hpp"
#include "agent/schedule/scheduler.hpp"
#include "agent/task_group.hpp"
#include "agent/within.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace flipback {

slot_checks::slot_checks(asio::io_context& loop, const config::configuration& configured, const surroundings& in) : loop_(loop) {
  settings::diagnostics said_before;
  for (const config::slot& slot : configured.slots) {
    std::vector<check>& its = of_slots_.emplace_back();
    for (const std::string& name : slot.checks) {
      const auto entry = std::ranges::find(configured.probes, name, &config::probe_entry::name);
      if (entry == configured.probes.end()) continue;  // reported when the slot's table was read
      const bool through = !config::unfit_to_be_critical(*entry, *configured.deployment);
      const settings::node keys = through ? config::aimed_at(slot, entry->table, *configured.deployment) : entry->table;
      its.push_back({name, entry->timeout, config::make_probe(*entry, keys, in, said_before), {}, {}, false});
    }
  }
}

asio::awaitable<std::string> slot_checks::unmet(std::size_t slot) {
  if (slot >= of_slots_.size()) co_return std::string();
  std::vector<std::string> says(of_slots_[slot].size());
  task_group asked(loop_, [](const std::string&) {});
  for (std::size_t i = 0; i < says.size(); ++i) {
    asked.spawn([](slot_checks& self, check& c, std::string& into) -> asio::awaitable<void> { into = co_await self.unmet(c); }(
                                                                       *this, of_slots_[slot][i], says[i]));
  }
  co_await asked.join();
  const auto first = std::ranges::find_if(says, [](const std::string& one) { return !one.empty(); });
  co_return first == says.end() ? std::string() : std::move(*first);
}

asio::awaitable<std::string> slot_checks::unmet(check& c) {
  const instant now = std::chrono::steady_clock::now();
  if (now < c.not_before) co_return c.refused;
  if (std::exchange(c.asking, true)) co_return fmt::format("{} (it is being asked)", c.name);
  run r{now, now + c.timeout, phase::starting};
  std::string says;
  try {
    const auto seen = co_await within(c.timeout, c.asks->look(r));
    if (!seen)
      says = fmt::format("{} (timed out after {} while {})", c.name, format_duration(c.timeout), name_of(r.now));
    else if (seen->result != outcome::pass)
      says = fmt::format("{} ({})", c.name, seen->says);
    if (seen && seen->why == reason::unauthorised) {
      c.not_before = now + scheduler::longest_backoff;
      c.refused = says;
    }
  } catch (const std::exception& error) {
    says = fmt::format("{} (the probe ended by itself: {})", c.name, error.what());
  }
  c.asking = false;
  co_return says;
}

}  // namespace flipback
