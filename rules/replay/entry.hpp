#pragma once

#include "flipback/signal.hpp"

#include "rules/engine.hpp"

#include <cstdint>
#include <string>
#include <variant>

/// What the rules were told, in its order: enough to judge it again (packaging/docs/replay.md: "Replay").
namespace flipback::rules::replay {

/// An agent begins to tell, or goes on with another configuration after a reload. Signals that were declared before are forgotten.
struct beginning {
  instant at;
  wall_time wall;          ///< what the clock on the wall showed then
  bool continues = false;  ///< after a reload: what the rules know stays
};
/// A signal that samples may come of. `series` is the number of its samples, which several signals may share.
struct declared {
  std::uint32_t series = 0;
  signal is;
};
struct sampled {
  std::uint32_t series = 0;
  sample is;
};
struct cut_over {
  instant at;
  bool forgive = false;   ///< the release that was left was rolled back
  bool recalled = false;  ///< it lies before the life that tells it
};
struct window_changed {
  instant at;
  bool open = false;
};
/// An operator, or a rule, holds automatic rollbacks back, in words; empty: nobody does any more.
struct hold_changed {
  instant at;
  std::string says;
};
/// An operator has opened the latch: this release may be rolled back once more.
struct unlatched {
  instant at;
};
/// Nobody watched in between.
struct unwatched {
  instant from;
  instant to;
};
/// The rules go on with what an earlier life saw of one of them.
struct resumed {
  instant at;
  seen_before what;
};

using entry = std::variant<beginning, declared, sampled, cut_over, window_changed, unwatched, hold_changed, unlatched, resumed>;

}  // namespace flipback::rules::replay
