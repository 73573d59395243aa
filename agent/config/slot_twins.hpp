#pragma once

#include "agent/config/configuration.hpp"

#include <optional>

namespace flipback::config {

/// Why a rollback can't rest on this probe; nothing where it can: then it goes through the front door, and the same can be asked of each
/// slot itself.
std::optional<std::string> unfit_to_be_critical(const probe_entry& of, const deployment& in);

/// The probe's keys with that slot's own URL in the front door's place: what goes through a slot then asks this one, past nginx.
settings::node aimed_at(const slot& to, const settings::node& table, const deployment& in);

/// The probes as if users reached this slot: what goes through a slot asks this one, past nginx. What tells of the other slot, or of users'
/// traffic, is taken out, unless the slot has it among its `checks`; what both slots share stays. Precondition: the configuration is good,
/// and has a deployment.
void narrow_to(const slot& only, configuration& to);

/// Tells which probes ask what both slots share. Adds, for each critical probe, two that ask the live and the stable slot the same, past
/// nginx: `login.live` and `login.stable` beside `login`. Precondition: the configuration is good.
void add_slot_twins(configuration& to);

}  // namespace flipback::config
