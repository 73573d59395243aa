#pragma once

#include "agent/deployment/tracker.hpp"

#include <optional>
#include <string>

namespace flipback::deployment {

/// Shut once a release has been rolled back, by the slot and release that failed; opened by a new cutover or an operator.
struct latch {
  std::string slot;
  std::string release;
  std::string rule;
  wall_time shut;
};

/// Somebody's word that no automatic rollback may act.
struct hold {
  std::string by;
  std::string reason;
  wall_time until;
};

/// A rollback that has begun: enough to complete or undo it by looking at the world after a crash.
struct attempt {
  std::string to_slot;
  std::string to_release;
  std::string failed_slot;
  std::string failed_release;
  std::string rule;
  wall_time begun;
  std::string why{};    ///< the rule's sentence, or the operator's reason
  std::string blame{};  ///< see whom_to_blame
};

/// These as the JSON texts that the store keeps. Reading gives nothing where the text is not one of ours.
std::string to_text(const remembered& what, const std::vector<std::string>& slot_names);
std::optional<remembered> remembered_from(const std::string& text, const std::vector<std::string>& slot_names);
std::string to_text(const latch& what);
std::optional<latch> latch_from(const std::string& text);
std::string to_text(const hold& what);
std::optional<hold> hold_from(const std::string& text);
std::string to_text(const attempt& what);
std::optional<attempt> attempt_from(const std::string& text);

}  // namespace flipback::deployment
