#pragma once

#include <cstdint>
#include <string>

namespace flipback::deployment {

/// Whether the release is to blame for what is breached, from asking both slots for what fails.
struct blame {
  enum class kind : std::uint8_t {
    cant_tell,  ///< too few answers, or nothing that may be repeated
    release,    ///< the live slot fails what the stable one does well
    both_fail,  ///< at least half fails on both: a flip would not help
    both_well   ///< both do well: it is over, or can't be reproduced
  };
  kind is = kind::cant_tell;
  std::string says;
};

}  // namespace flipback::deployment
