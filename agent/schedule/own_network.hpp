#pragma once

namespace flipback {

/// Whether any network interface but the loopback is up and running. Asked only when a host was unreachable.
bool own_network_is_up();

}  // namespace flipback
