#pragma once

#include "agent/config/make_probes.hpp"
#include "rules/catalogue.hpp"

#include <array>
#include <span>

namespace flipback::config {

/// What every probe gives beside what it declares.
std::span<const measurement_declaration> common_measurements();

/// A probe's measurement as the rules have it.
signal signal_of(const std::string& probe, const measurement_declaration& m, duration every);

/// Every signal of these probes, and of the deployment: live.up, stable.up and each slot's SLOT.up.
rules::catalogue signals_of(const configuration& from, std::span<const made_probe> probes);

}  // namespace flipback::config
