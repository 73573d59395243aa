#pragma once

#include "agent/init/host.hpp"

#include <filesystem>
#include <vector>

namespace flipback::init {

/// Runs `nginx -T` by the first nginx that is in one of these folders, and reads what stands beside the files that it names. What the env
/// files set, which is `seen` before, is hidden where nginx repeats it.
void look_at_nginx(const std::vector<std::filesystem::path>& programs, host& seen);

}  // namespace flipback::init
