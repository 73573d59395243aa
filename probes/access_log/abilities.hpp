#pragma once

#include "probes/access_log/line_format.hpp"

namespace flipback::access_log {

/// What a format lets us tell (semantics.md §2, "Traffic").
struct abilities {
  explicit abilities(const line_format& format);
  bool slots;         ///< where each request went: $upstream_addr
  bool local;         ///< what nginx answered itself from what it passed on
  bool attempts;      ///< how each attempt on a slot ended
  bool header_times;  ///< whether an attempt had an answer's header
  bool attempt_times;
  bool latency;
  bool paths;
  bool time;
};

}  // namespace flipback::access_log
