#pragma once

#include "agent/config/configuration.hpp"
#include "agent/rollback/slot_switch.hpp"
#include "tests/agent/rollback/files.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include <exception>
#include <optional>
#include <string>
#include <vector>

/// Switches as a configuration makes them, asked from outside of any coroutine.
namespace flipback::test {

inline config::configuration two_slots(config::switch_kind kind) {
  config::configuration c;
  c.deployment.emplace();
  c.deployment->switched_by = kind;
  c.slots.resize(2);
  c.slots[0].name = "blue";
  c.slots[1].name = "green";
  return c;
}

template <typename T>
T result_of(boost::asio::io_context& loop, boost::asio::awaitable<T> operation) {
  std::optional<T> found;
  boost::asio::co_spawn(loop, std::move(operation), [&](const std::exception_ptr& thrown, T value) {
    if (thrown) std::rethrow_exception(thrown);
    found = std::move(value);
  });
  loop.restart();
  while (!found && loop.run_one() > 0) {
  }
  return std::move(*found);
}

/// All the changes to a slot, put to one end.
inline void put_all(rollback::slot_switch& s, const std::vector<rollback::change>& changes, rollback::end to) {
  boost::asio::io_context loop(1);
  for (const rollback::change& c : changes) {
    const rollback::put_result r = result_of(loop, s.put(c, to));
    REQUIRE_MESSAGE(r.is == rollback::put_result::kind::done, r.says);
    const rollback::change_state now = result_of(loop, s.state_of(c));
    CHECK(now.is == (to == rollback::end::after ? rollback::change_state::kind::after : rollback::change_state::kind::before));
  }
}

inline std::vector<rollback::change> changes(rollback::slot_switch& s, rollback::slot_number to) {
  auto made = s.changes_to(to);
  REQUIRE_MESSAGE(made.has_value(), made.error());
  return std::move(*made);
}

inline std::string together(const std::vector<std::string>& sentences) {
  std::string all;
  for (const std::string& s : sentences) all += s + "\n";
  return all;
}

}  // namespace flipback::test
