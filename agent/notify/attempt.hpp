#pragma once

#include "flipback/units.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace flipback::notify {

/// What became of one attempt to deliver a letter.
struct attempt {
  enum class result : std::uint8_t {
    delivered,
    not_yet,  ///< it may be delivered later: no connection, a time-out, 429, 5xx, a login or an address that somebody must mend
    refused   ///< it never will be: the target says that the letter itself is wrong
  };
  result is = result::delivered;
  std::string says;  ///< one sentence, without a secret: what the target answered; where it was delivered, to whom it was not, or empty
  std::optional<duration> after;  ///< of `not_yet`: the target itself says when to ask again (Retry-After)
  std::string kept;               ///< of `delivered`: what the next letter of this matter needs to edit the same message; at most 1 KiB
};

}  // namespace flipback::notify
