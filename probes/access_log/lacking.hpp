#pragma once

#include "flipback/lacking_signals.hpp"

#include "probes/access_log/traffic_signals.hpp"

namespace flipback::access_log {

/// What a log in this format can't tell, though another format would.
std::vector<lacking_signal> lacking(const line_format& format, std::span<const slot_upstreams> slots);

}  // namespace flipback::access_log
