#pragma once

#include "agent/rollback/change.hpp"

#include <string>
#include <string_view>

/// Writing into a live file itself, where it is a mount point and can't be renamed over.
namespace flipback::rollback {

/// Whether these bytes are what a write of one end over the other leaves when it is cut off: the written bytes up to a page's edge and the
/// old ones from there, or, after a power failure, whole pages of either. Less than a page is not told apart: a person who edited half of
/// the places in a short file is not taken for a crash.
bool is_half_written(std::string_view now, const file_change& c);

/// Puts the regular file at `c.path` to one end; both are regular. What stands there must say the other end, or be half written.
put_result write_in_place(const file_change& c, end to);

/// "" where writing could begin, else one sentence.
std::string obstacle_in_place(const std::string& path);

}  // namespace flipback::rollback
