#include "agent/schedule/own_network.hpp"

#include <ifaddrs.h>
#include <net/if.h>

#include <memory>

namespace flipback {

bool own_network_is_up() {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return true;  // can't tell: believe the probe
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owned(list, &::freeifaddrs);
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
    const unsigned wanted = IFF_UP | IFF_RUNNING;
    if ((at->ifa_flags & IFF_LOOPBACK) == 0 && (at->ifa_flags & wanted) == wanted) return true;
  }
  return false;
}

}  // namespace flipback
