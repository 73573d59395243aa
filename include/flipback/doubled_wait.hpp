#pragma once

#include "flipback/units.hpp"

#include <algorithm>

namespace flipback {

/// How long to wait after so many failures in a row: `first` after one, doubled by each further one, at most `longest`.
inline duration doubled_wait(unsigned failures, duration first, duration longest) {
  duration wait = first;
  for (unsigned i = 1; i < failures && wait < longest; ++i) wait *= 2;
  return std::min(wait, longest);
}

}  // namespace flipback
