#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// How one text differs from another, for people. Pure.
namespace flipback::rollback {

/// How many lines, wherever they stand.
struct likeness {
  std::size_t common = 0;  ///< both have, other than blank ones
  std::size_t apart = 0;   ///< either has that the other has not: the fewer the nearer
};
likeness likeness_of(std::string_view one, std::string_view other);

/// Where what was found first differs from what was expected: the line's number and both texts, each on one visible line of at most 100
/// bytes or so; what may be a secret is left out. Where only line ends or the newlines at the end differ, that alone. Empty: nothing does.
std::string first_difference(std::string_view found, std::string_view expected);

}  // namespace flipback::rollback
