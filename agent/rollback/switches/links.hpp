#pragma once

#include "flipback/units.hpp"

#include <optional>
#include <string>

/// Where links lead, and how a link is written that leads elsewhere.
namespace flipback::rollback {

/// The real path of what a path leads to; nothing where it leads nowhere or can't be followed.
std::optional<std::string> leads_to(const std::string& path);

/// The target of a link, seen from the folder in which the link stands.
std::string seen_from(const std::string& link, const std::string& target);

/// What a link at `link` must say to lead to `file`: relative where `old_target` is, absolute where that is. Nothing where no such target
/// leads there.
std::optional<std::string> retarget(const std::string& link, const std::string& old_target, const std::string& file);

/// When the path, not what it leads to, was last changed or replaced.
std::optional<wall_time> changed_at(const std::string& path);

}  // namespace flipback::rollback
