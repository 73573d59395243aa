#pragma once

#include "flipback/probe.hpp"
#include "flipback/settings.hpp"

#include <memory>
#include <span>
#include <string_view>

namespace flipback {

/// One kind of probe: the `type` in its table, what it is for, and how one is made from the table. `make` reads all of its own keys,
/// reports what is wrong into the section's diagnostics, and returns a probe that need not work where something was reported.
struct probe_kind {
  std::string_view type;
  std::string_view observes;  ///< one line, for people
  std::unique_ptr<probe> (*make)(settings::section& from, const surroundings& in);
  duration usual_interval{};     ///< `every` where the table gives none; zero: 10 s
  bool only_when_asked = false;  ///< it burdens what it observes: it runs with --check, in the agent only with `in_agent = true`
};

/// Every kind there is, by name.
std::span<const probe_kind> probe_kinds();
const probe_kind* find_probe_kind(std::string_view type);

}  // namespace flipback
