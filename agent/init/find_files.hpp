#pragma once

#include "agent/init/layout.hpp"

#include <vector>

namespace flipback::init {

/// The switches that change which file is read: a link, a site file, and a site file that a person has edited, which says neither slot's
/// and leads where one of them does. Each that there is, in nginx's order.
std::vector<switch_seen> by_link(const layout& of);
std::vector<switch_seen> by_site(const layout& of);
std::vector<switch_seen> by_near_site(const layout& of);

}  // namespace flipback::init
