#pragma once

#include "flipback/event.hpp"
#include "flipback/units.hpp"

#include "agent/deployment/identity_check.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace flipback::deployment {

/// One look at the world: who the front door says it is, what the slots say of themselves, which slot's file is the live one.
struct sighting {
  identity_answer front_door;
  std::vector<slot_answer> slots;      ///< in the configuration's order
  std::optional<std::size_t> site_of;  ///< the slot whose file all live files equal
  instant at;
  wall_time wall;
};

/// A slot and what ran in it.
struct placed {
  std::size_t slot = 0;
  std::string release;
  friend bool operator==(const placed&, const placed&) = default;
};

/// The moment that what users reach changed, and what it was before.
struct cutover {
  placed from;
  placed to;
  instant at;
  wall_time wall;
};

/// What is known across restarts.
struct remembered {
  placed live;
  wall_time last_seen;
  std::optional<cutover> newest;
};

/// Tells from sightings which slot is live, when a cutover happened, and when the witnesses disagree (semantics.md §4). Pure.
class tracker {
 public:
  tracker(std::vector<std::string> slot_names, std::string stable_name);

  /// Before the first sighting, where there is a record from an earlier run.
  void recall(const remembered& from, instant now, wall_time wall);
  /// `file_changed`: when the live file last changed, for a cutover that happened while nobody watched.
  std::vector<event> see(const sighting& s, std::optional<wall_time> file_changed);
  /// Our own rollback: what users reach changed, and it is no cutover.
  void rolled_back_to(std::size_t slot, std::string release);

  [[nodiscard]] const std::optional<placed>& live() const { return live_; }
  [[nodiscard]] const std::optional<cutover>& newest_cutover() const { return newest_; }
  /// Where a rollback would lead; nothing where there is no way back, and why.
  [[nodiscard]] std::optional<placed> stable() const;
  [[nodiscard]] std::string no_way_back() const;
  [[nodiscard]] bool mixed() const { return mixed_; }
  [[nodiscard]] unsigned healthy_in_a_row(std::size_t slot) const { return healthy_in_a_row_[slot]; }
  [[nodiscard]] bool healthy(std::size_t slot) const { return healthy_in_a_row_[slot] > 0; }

 private:
  [[nodiscard]] std::optional<placed> seen_live(const sighting& s, std::vector<event>& told);
  void watch_mixed(const std::optional<placed>& seen, std::vector<event>& told);
  void watch_drift(const sighting& s, const std::optional<placed>& seen, std::vector<event>& told);
  void begin(const placed& seen, const sighting& s, std::optional<wall_time> file_changed, std::vector<event>& told);
  void cut_over(const placed& to, instant at, wall_time wall, std::vector<event>& told);
  event told_as(std::string kind, severity s, std::string says) const;

  std::vector<std::string> names_;
  std::string stable_name_;
  std::vector<std::string> known_release_;  ///< what each slot last said of itself
  std::vector<unsigned> healthy_in_a_row_;
  std::optional<placed> live_;
  std::optional<placed> candidate_;  ///< seen once, not yet believed
  std::optional<cutover> newest_;
  std::optional<remembered> recalled_;
  std::deque<std::size_t> recent_;  ///< the slots that the last sightings reached
  bool mixed_ = false;
  bool drift_said_ = false;
  bool equal_said_ = false;
  unsigned drifting_ = 0;
};

}  // namespace flipback::deployment
