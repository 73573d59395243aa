#pragma once

#include <span>
#include <string>
#include <vector>

namespace flipback::init {

/// The packaged service's user; packaging/systemd/flipback.service names it.
inline constexpr const char* service_user = "flipback";

/// Which of these files the service could not read though whoever asks can, a sentence each with what to type: what its user may not, and
/// what its unit hides. Asked by root alone; for another the configuration has only what its own user may read, and nothing is said. A user
/// that is not there yet is held for one that owns nothing. Files that are not there are passed over.
std::vector<std::string> kept_from_service(std::span<const std::string> files, const std::string& user = service_user);

}  // namespace flipback::init
