#pragma once

#include "agent/config/configuration.hpp"

#include <optional>

namespace flipback::config {

/// Why a rollback can't rest on this probe; nothing where it can: then it goes through the front door to whichever slot is live, and the
/// same can be asked of the stable slot itself.
std::optional<std::string> unfit_to_be_critical(const probe_entry& of, const deployment& in);

/// The probe's keys with that slot's own URL in the front door's place: what goes through a slot then asks this one, past nginx.
settings::node aimed_at(const slot& to, const settings::node& table, const deployment& in);

/// Tells which probes ask what both slots share. Adds, for each critical probe, one that asks the stable slot the same, past nginx:
/// `login.stable` beside `login`. Precondition: the configuration is good.
void add_stable_twins(configuration& to);

}  // namespace flipback::config
