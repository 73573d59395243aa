#include "agent/deployment/tracker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace flipback::deployment {

namespace {

constexpr std::size_t sightings_held = 10;
constexpr std::size_t changes_of_a_mix = 3;  // one change is a cutover, two a cutover and back
constexpr unsigned sightings_of_drift = 3;   // a cutover by hand takes a moment between the file and the reload

}  // namespace

tracker::tracker(std::vector<std::string> slot_names, std::string stable_name)
    : names_(std::move(slot_names)),
      stable_name_(std::move(stable_name)),
      known_release_(names_.size()),
      healthy_in_a_row_(names_.size()) {}

void tracker::recall(const remembered& from, instant now, wall_time wall) {
  recalled_ = from;
  newest_ = from.newest;
  // The monotonic clock began anew: place the cutover by the calendar.
  if (newest_) newest_->at = now - std::chrono::duration_cast<duration>(wall - newest_->wall);
  if (from.live.slot < known_release_.size()) known_release_[from.live.slot] = from.live.release;
}

event tracker::told_as(std::string kind, severity s, std::string says) const {
  event e{std::move(kind), s, std::move(says), {}};
  if (live_) e.with("live", names_[live_->slot]).with("release", live_->release);
  if (const auto back = stable()) e.with("stable", names_[back->slot]).with("stable_release", back->release);
  return e;
}

std::vector<event> tracker::see(const sighting& s, std::optional<wall_time> file_changed) {
  std::vector<event> told;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    healthy_in_a_row_[i] = s.slots[i].healthy ? healthy_in_a_row_[i] + 1 : 0;
    if (s.slots[i].identity.is == identity_answer::kind::identified) known_release_[i] = s.slots[i].identity.release;
  }
  const auto seen = seen_live(s, told);
  watch_mixed(seen, told);
  watch_drift(s, seen, told);
  if (!seen || mixed_) return told;
  const bool witnessed = s.site_of == seen->slot && s.front_door.is == identity_answer::kind::identified;
  if (!live_) {
    // Just after a reload an old worker may have answered: without the file's word the same must be seen twice.
    if (witnessed || (candidate_ == seen && s.front_door.is == identity_answer::kind::identified))
      begin(*seen, s, file_changed, told);
    else
      candidate_ = seen;
  } else if (*seen == *live_) {
    candidate_.reset();
  } else if (seen->slot == live_->slot && live_->release.empty()) {
    live_->release = seen->release;  // it did not answer at its cutover: now its name is known
    if (newest_ && newest_->to.slot == seen->slot) newest_->to.release = seen->release;
  } else if (candidate_ == seen || witnessed) {
    cut_over(*seen, s.at, s.wall, told);
  } else {
    candidate_ = seen;
  }
  return told;
}

std::optional<placed> tracker::seen_live(const sighting& s, std::vector<event>& told) {
  if (s.front_door.is != identity_answer::kind::identified) {
    // The front door says nothing of itself. Only a file that has become another slot's is a word then.
    if (!s.site_of || (live_ && live_->slot == *s.site_of)) return std::nullopt;
    return placed{*s.site_of, known_release_[*s.site_of]};
  }
  std::vector<std::size_t> matching;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (known_release_[i] == s.front_door.release) matching.push_back(i);
  }
  if (matching.size() == 1) {
    equal_said_ = false;
    return placed{matching.front(), s.front_door.release};
  }
  if (matching.size() > 1 && !std::exchange(equal_said_, true)) {
    told.push_back(told_as("deployment.equal", severity::warning,
                           fmt::format("both slots say that they are {}: only the live file tells them apart", s.front_door.release)));
  }
  if (!s.site_of) return std::nullopt;
  return placed{*s.site_of, s.front_door.release};
}

void tracker::watch_mixed(const std::optional<placed>& seen, std::vector<event>& told) {
  if (!seen) return;
  recent_.push_back(seen->slot);
  if (recent_.size() > sightings_held) recent_.pop_front();
  std::size_t changes = 0;
  for (std::size_t i = 1; i < recent_.size(); ++i) changes += recent_[i] != recent_[i - 1] ? 1 : 0;
  const bool was = std::exchange(mixed_, changes >= changes_of_a_mix || (mixed_ && changes > 0));
  if (mixed_ && !was) {
    told.push_back(told_as("deployment.mixed", severity::warning,
                           "users reach both slots by turns (a canary): rules alert only, nothing is rolled back"));
  }
}

void tracker::watch_drift(const sighting& s, const std::optional<placed>& seen, std::vector<event>& told) {
  const bool reached = seen && s.front_door.is == identity_answer::kind::identified;
  const bool differs = reached && s.site_of != seen->slot;
  drifting_ = differs ? drifting_ + 1 : 0;
  if (!differs) drift_said_ = false;
  if (drifting_ < sightings_of_drift || std::exchange(drift_said_, true)) return;
  const std::string file = s.site_of ? fmt::format("the live file is {}'s", names_[*s.site_of]) : "the live file is no slot's";
  told.push_back(told_as("deployment.drift", severity::warning, fmt::format("users reach {}, but {}", names_[seen->slot], file)));
}

void tracker::begin(const placed& seen, const sighting& s, std::optional<wall_time> file_changed, std::vector<event>& told) {
  candidate_.reset();
  if (!recalled_) {
    live_ = seen;
    told.push_back(told_as("deployment.baseline", severity::info,
                           fmt::format("{} is live with {}: the baseline, no rollback window", names_[seen.slot], seen.release)));
    return;
  }
  live_ = recalled_->live;
  if (seen == *live_) {
    told.push_back(
        told_as("deployment.baseline", severity::info, fmt::format("{} is still live with {}", names_[seen.slot], seen.release)));
    return;
  }
  const bool by_file = file_changed && *file_changed > recalled_->last_seen && *file_changed < s.wall;
  const wall_time wall = by_file ? *file_changed : s.wall;
  cut_over(seen, s.at - std::chrono::duration_cast<duration>(s.wall - wall), wall, told);
}

void tracker::cut_over(const placed& to, instant at, wall_time wall, std::vector<event>& told) {
  newest_ = cutover{*live_, to, at, wall};
  live_ = to;
  candidate_.reset();
  const cutover& c = *newest_;
  event e = told_as("deployment.cutover", severity::info,
                    fmt::format("users now reach {} with {}, before that {} with {}", names_[c.to.slot], c.to.release, names_[c.from.slot],
                                c.from.release));
  e.with("previous", names_[c.from.slot]).with("previous_release", c.from.release);
  told.push_back(std::move(e));
  if (const std::string none = no_way_back(); !none.empty()) told.push_back(told_as("deployment.no_way_back", severity::warning, none));
}

void tracker::rolled_back_to(std::size_t slot, std::string release) {
  live_ = placed{slot, std::move(release)};
  candidate_.reset();
  recent_.clear();
}

std::string tracker::no_way_back() const {
  if (!newest_ || !live_) return "no cutover has been seen: there is nothing to go back to";
  const placed& back = newest_->from;
  if (back == *live_) return fmt::format("{} is live already", names_[back.slot]);
  if (stable_name_ != "previous") {
    const auto named = static_cast<std::size_t>(std::ranges::find(names_, stable_name_) - names_.begin());
    if (named != back.slot) return live_->slot == named ? fmt::format("{} is live already", stable_name_) : std::string();
  }
  if (back.slot == live_->slot) return fmt::format("{} was deployed in place: no slot has the release before", names_[back.slot]);
  if (!known_release_[back.slot].empty() && !back.release.empty() && known_release_[back.slot] != back.release) {
    return fmt::format("{} no longer has {}, but {}", names_[back.slot], back.release, known_release_[back.slot]);
  }
  return {};
}

std::optional<placed> tracker::stable() const {
  if (!no_way_back().empty()) return std::nullopt;
  if (stable_name_ == "previous") return newest_->from;
  const auto named = static_cast<std::size_t>(std::ranges::find(names_, stable_name_) - names_.begin());
  return placed{named, known_release_[named]};
}

}  // namespace flipback::deployment
