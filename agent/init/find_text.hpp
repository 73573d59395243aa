#pragma once

#include "agent/init/layout.hpp"

#include <vector>

namespace flipback::init {

/// The switches that change a piece of one file: an include, a pool's name, an address. Each that there is, in nginx's order; one may stand
/// there several times.
std::vector<switch_seen> by_include(const layout& of);
std::vector<switch_seen> by_pool(const layout& of);
std::vector<switch_seen> by_address(const layout& of);

}  // namespace flipback::init
