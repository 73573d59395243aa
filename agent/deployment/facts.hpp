#pragma once

#include "agent/deployment/decider.hpp"

#include <array>
#include <expected>
#include <optional>
#include <string>

/// What must outlast a restart, each with its text form. Pure: where the texts are kept is the store's business.
namespace flipback::deployment {

inline constexpr std::array all_facts{fact::epoch, fact::hold, fact::latch, fact::failures};

/// The time, and the boot that its monotonic clock belongs to.
struct clocks {
  std::string boot_id;
  moment now;
};

/// A fact as the state has it now; nothing: there is none, and the store is to forget it. The epoch's carries when it was last seen to be
/// so.
std::optional<std::string> text_of(fact which, const state& s, const terms& by, const clocks& now);

/// What is kept of the epoch beside itself, as it is now. Precondition: there is one.
doubts doubts_to_keep(const state& s, const moment& now);
recollection what_would_be_recalled(const state& s, const moment& now);

/// A text as it was found: nothing where it is known that there is none; an error where it can't be read, which is never none.
using found_text = std::expected<std::optional<std::string>, std::string>;

struct found_texts {
  found_text epoch;
  found_text hold;
  found_text latch;
  found_text failures;
};

/// What an earlier life left, placed on this boot's clocks. Within one boot the monotonic clock measures; across boots the wall's does, and
/// doubt counts against acting: a clock that is behind what was saved ends the window and keeps a hold.
started recall(const found_texts& found, const terms& by, const clocks& now);

}  // namespace flipback::deployment
