#pragma once

#include <string>
#include <string_view>

namespace flipback::access_log {

/// A path with its numbers and ids taken out: "/items/17" and "/items/18" are "/items/*". A number or id is a segment of digits with or
/// without signs between them (17, 2026-11-29, 1.5), of hexadecimal digits from 6 on that has a decimal one among them, or of 12
/// characters and more with two digits among them. At most 200 bytes of the path tell paths apart.
std::string folded(std::string_view path);

}  // namespace flipback::access_log
