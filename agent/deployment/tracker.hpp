#pragma once

#include "flipback/event.hpp"

#include "agent/deployment/sighting.hpp"
#include "agent/deployment/terms.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

/// Tells from sightings which slot is live and when a cutover happened (semantics.md §4). Pure: values in, values out.
namespace flipback::deployment {

/// Where a rollback leads, and what is doubtful about it.
struct way_back {
  placed to;
  moment left;        ///< when it was live last
  std::string doubt;  ///< why a person should decide; empty: nothing is doubtful
  friend bool operator==(const way_back&, const way_back&) = default;
};

/// The time from one cutover to the next. Every fact, breach, question and answer belongs to one.
struct epoch {
  enum class kind : std::uint8_t {
    baseline,     ///< found at the start: no cutover has been seen
    switched,     ///< the intent changed, and the effect followed
    in_place,     ///< the release in the live slot changed
    rolled_back,  ///< Flipback put the stable slot back
    opened        ///< a person opened the window
  };
  std::uint64_t number = 0;
  kind is = kind::baseline;
  moment began;
  placed live;
  std::optional<placed> before;  ///< what was live before; of a baseline nothing
  std::optional<way_back> back;
  bool returned = false;      ///< it went to the way back of the one before: somebody rolled back
  bool window_ended = false;  ///< a person closed it, or the clock can't be trusted
  friend bool operator==(const epoch&, const epoch&) = default;
};
inline constexpr std::array<std::string_view, 5> epoch_kinds{"baseline", "switched", "in place", "rolled back", "opened"};
inline std::string_view name_of(epoch::kind k) {
  return epoch_kinds.at(static_cast<std::size_t>(k));
}

/// What is known of a slot, from its own answers.
struct slot_knowledge {
  std::string identity;
  std::string release;
  bool well = false;
  unsigned well_in_a_row = 0;   ///< answers at least `confirm_every` apart
  instant counted{};            ///< when the newest of them was asked
  instant answered{};           ///< when it was asked last
  bool was_down = false;        ///< since the epoch began
  std::optional<instant> sick;  ///< when it was found so last
  bool not_asked = false;       ///< the last time: it could not be, so that what is known is older
  std::string says;
};

/// A release that was live and was left.
struct departure {
  placed what;
  moment at;
  std::string doubt;  ///< what was wrong when it was left
  friend bool operator==(const departure&, const departure&) = default;
};

/// How what users reach stands beside what the switch names.
enum class agreement : std::uint8_t {
  unknown,    ///< it has not been seen yet what users reach
  agreed,     ///< users reach the live slot, and the switch names no other, as far as can be told
  following,  ///< the switch names another slot, and users have not followed yet
  failover,   ///< users reach another slot than the switch names: nginx's own doing
  mixed,      ///< users reach both by turns
  moved       ///< users reach another slot than the live one, while the switch names none: no cutover until it names one
};
std::string_view name_of(agreement a);

/// What an earlier life of the agent knew, as the start has placed it on this boot's clocks.
struct recollection {
  epoch then;
  moment seen;                   ///< when that was last so
  bool clock_is_behind = false;  ///< the wall's clock says less than what was saved
  bool other_boot = false;
  bool mixed = false;                      ///< users reached both slots by turns
  bool live_was_well = true;               ///< as in `tracking`
  std::vector<moment> changes_in_place{};  ///< of the last 10 min
};

/// That the switch names no slot, and since when.
struct unnamed {
  intent names;  ///< as it was when it was first seen so
  instant since{};
  bool said = false;
};

struct tracking {
  std::optional<epoch> now;  ///< nothing: it is not known which slot is live
  std::vector<slot_knowledge> slots;
  agreement is = agreement::unknown;
  std::optional<slot_number> users;  ///< the slot that users were seen to reach last, by as many witnesses in a row as a cutover needs
  std::optional<deployment::unnamed> unnamed;
  std::vector<departure> departures;  ///< of the last 24 h, the newest last
  std::optional<recollection> recalled;
  std::optional<instant> door_silent;   ///< since when the front door has not answered; nothing: it does
  std::optional<instant> door_turned;   ///< when that had been so for three looks, or it answered again after that
  std::optional<instant> door_failed;   ///< when the front door answered 5xx last
  std::string door_identity;            ///< that the front door's newest answer told; empty: none
  std::string door_says;                ///< what came of the newest question to the front door, for people
  bool live_was_well = true;            ///< false: since this boot the live slot has not been well yet
  std::deque<moment> changes_in_place;  ///< of the last 10 min

  // Changes that are under way.
  struct arrival {
    placed what;
    unsigned witnesses = 0;
    moment first;
    instant newest{};
  };
  std::optional<arrival> arriving;
  std::optional<moment> unfollowed_since;  ///< since when the switch has named a slot that users don't reach
  slot_number unfollowed = 0;              ///< that slot
  bool unfollowed_said = false;
  struct elsewhere {
    instant at;
    bool other;  ///< another slot than the switch names
  };
  std::deque<elsewhere> reached;  ///< of the last minute, where it changed
  instant watched{};              ///< the look before
  unsigned other_in_a_row = 0;
  unsigned agreed_in_a_row = 0;
  slot_number reached_last = 0;   ///< what the newest fresh witness named
  unsigned reached_in_a_row = 0;  ///< how many in a row did
  bool unsteady_said = false;
};

/// What came of a sighting, for the decider.
struct noticed {
  std::vector<event> told;
  bool new_epoch = false;
  /// The release that was left was rolled back, by whomever: its errors are no ground against the next.
  bool was_rolled_back = false;
};

/// Takes in a sighting. `troubled`: a rollback rule was breached or pending on the live release.
noticed see(tracking& t, const sighting& s, const terms& by, bool troubled);
/// Takes in a sighting while a rollback is under way: only what the slots say of themselves.
void see_slots(tracking& t, const sighting& s, const terms& by);
/// Whether something may be changing, so that the next look should come at once.
bool is_changing(const tracking& t);
/// Whether the next look should send a question that no cache has answered before.
bool wants_fresh_look(const tracking& t);
/// The live slot; while the switch names none, the one that users were seen to move to, or to reach where none was live. Nothing: unknown.
std::optional<placed> reached_by_users(const tracking& t);

/// Users were put on `to` by a rollback of ours, which is no cutover: a new epoch without a window.
noticed rolled_back(tracking& t, const placed& to, moment at, const terms& by);
/// A person opens a window at `back.left` in which rollback rules act, with a slot to go back to. It must be known what users reach.
void open_window(tracking& t, way_back back);

/// Why there is no way back; empty: there is one.
std::string no_way_back(const tracking& t, const terms& by);
/// What is doubtful about the way back; empty: nothing, or there is none.
std::string doubt_of_way_back(const tracking& t, const terms& by);
/// Whether a release's name tells it from another release in the same slot: not where it is none, or the slot's own name.
bool tells_releases(const placed& p, const terms& by);
std::string text_of(const placed& p, const terms& by);

}  // namespace flipback::deployment
