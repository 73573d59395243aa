#pragma once

#include <expected>
#include <string>
#include <vector>

namespace flipback {

/// Gives a file that can't be used another name beside it, with the time in it, for a person to look at: its new path. What belongs to it
/// (the same path with one of these endings) goes along, first, so that it is never taken for the next file's.
std::expected<std::string, std::string> set_aside(const std::string& file, const std::vector<std::string>& endings);

/// The newest of the files that were put aside so; "" where there is none.
std::string newest_aside(const std::string& file);

}  // namespace flipback
