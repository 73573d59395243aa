#pragma once

#include "agent/deployment/slots.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flipback::rollback {

/// How a rollback ended. Said of what is, not of what was meant.
enum class outcome : std::uint8_t {
  rolled_back,         ///< proven: users reach the stable slot
  unproven,            ///< the switch names the stable slot, or users are seen on it, and not both are so as far as can be told
  undone,              ///< a proof said no: the switch is as it was
  nothing_changed,     ///< it was stopped, or failed, before its first change; or its command has ended, and switch and users are as before
  operator_took_over,  ///< somebody else changed what the switch reads: it is left as it is
  not_undone,          ///< a proof said no, and the switch could not be put back
  cant_tell            ///< its command has ended, the switch names what it named before, and nothing shows whom users reach
};
std::string_view name_of(outcome o);

/// How it ended, and what users were seen to reach then.
struct ending {
  outcome how = outcome::nothing_changed;
  std::string says;
  bool changed = false;                            ///< whether anything was changed, even if it was undone
  bool overwrote = false;                          ///< whether a file was changed that had been there, even if it was put back
  std::optional<deployment::slot_number> reached;  ///< the slot that users were seen to reach; nothing: can't tell
  duration took{};                                 ///< from the leave to the end
};

}  // namespace flipback::rollback
