#pragma once

#include "flipback/units.hpp"

#include <optional>
#include <string_view>

/// What systemd is told (sd_notify(3)). Without $NOTIFY_SOCKET nothing is sent.
namespace flipback::service {

/// One datagram of assignments, a line each: "READY=1", "STATUS=…", "STOPPING=1", "WATCHDOG=1".
void notify(std::string_view assignments);

/// RELOADING=1 with the monotonic time that systemd wants beside it.
void notify_reloading();

/// Half of the watchdog's interval, where systemd watches this very process.
std::optional<duration> watchdog_interval();

}  // namespace flipback::service
