#pragma once

#include "agent/init/layout.hpp"

#include <optional>

namespace flipback::init {

/// The switches that change a piece of one file: an include, a pool's name, an address. Nothing where there is none.
std::optional<switch_seen> by_include(const layout& of);
std::optional<switch_seen> by_pool(const layout& of);
std::optional<switch_seen> by_address(const layout& of);

}  // namespace flipback::init
