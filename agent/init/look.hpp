#pragma once

#include "agent/init/host.hpp"

#include <filesystem>
#include <set>
#include <string_view>
#include <vector>

namespace flipback::init {

/// Where a host is looked at.
struct places {
  std::vector<std::filesystem::path> folders;   ///< for compose files and env files: the working folder, and each in /opt
  std::vector<std::filesystem::path> programs;  ///< for nginx: those of PATH and the usual ones
  std::filesystem::path proc = "/proc";
};
places usual_places();

/// Looks, and changes nothing: but `nginx -T`, as nginx itself does, makes an empty pid file and empty logs where there are none. What
/// can't be read is said in `untold`, and passed over. Blocks for as long as `nginx -T` takes, at most 10 s.
host look(const places& at);

/// The ports on which /proc/net/tcp or tcp6 says that somebody listens, on all addresses or on loopback.
std::set<std::uint16_t> listening_in(std::string_view table);

}  // namespace flipback::init
