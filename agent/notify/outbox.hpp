#pragma once

#include "agent/deployment/slots.hpp"
#include "agent/notify/attempt.hpp"
#include "agent/notify/letter.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace flipback::notify {

using deployment::moment;

/// One letter on its way to one target.
struct parcel {
  enum class state : std::uint8_t {
    waiting,
    under_way,  ///< it is being delivered; after a restart: it can't be told whether it was
    delivered,
    given_up  ///< refused, or tried for a day
  };
  letter what;
  std::string target;
  state is = state::waiting;
  unsigned tries = 0;
  wall_time posted;
  wall_time newest;    ///< the newest attempt, or when it was posted
  std::string says;    ///< of an attempt that delivered nothing
  std::string kept;    ///< what the target gave back
  instant due{};       ///< waiting: not before this; delivered: when it was
  bool again = false;  ///< it was delivered, and is sent again so that the matter does not end by itself
};
std::string_view name_of(parcel::state s);

/// The letters that are on their way, until each is delivered, refused, or has been tried for a day. In memory; what is to be on disk of it
/// is told as rows. Pure.
///
/// Of one matter, and of the cutovers, a target gets the letters in their order. What no longer says anything new is not sent: of those
/// that wait, the first, the newest and the last one are enough, since each says all. A target that fails is asked again after 5 s, and
/// doubled each time, up to 5 min, or when it says; one letter that it does not take stops no other matter's.
class outbox {
 public:
  static constexpr duration first_wait = std::chrono::seconds(5);
  static constexpr duration longest_wait = std::chrono::minutes(5);
  static constexpr duration given_up_after = std::chrono::hours(24);
  static constexpr unsigned least_tries = 20;  ///< until then: a clock that was put right does not make a day of a minute
  static constexpr duration remembered_for = std::chrono::days(7);
  static constexpr std::size_t most = 400;  ///< parcels, of all targets; the oldest that are done with go first, then the oldest

  void post(const letter& what, const std::string& target, const moment& now);
  /// The parcel that is to be delivered to a target now: it is under way until `end`. Nothing: none is.
  std::optional<parcel> begin(const std::string& target, const moment& now);
  /// What became of it. The parcel as it is then.
  std::optional<parcel> end(const parcel& begun, const attempt& how, const moment& now);
  /// It was cancelled: it can't be told whether it was delivered, and it is tried again.
  void interrupt(const parcel& begun);
  /// When `begin` is to be asked next; nothing: once something is posted.
  [[nodiscard]] std::optional<instant> next(const std::string& target) const;
  /// Sends the newest letters to a target again that were delivered so long ago, of these matters.
  void send_again(const std::string& target, duration every, const std::set<std::string>& matters, const moment& now);

  /// What was given up without an attempt since this was asked last: there was no room, or its target is no more.
  std::vector<parcel> take_dropped() { return std::exchange(dropped_, {}); }

  /// Whether a target got, or is to get, a letter on a matter.
  [[nodiscard]] bool knows(const std::string& matter, const std::string& target) const;
  /// Since when a target fails, and what it says; nothing: its newest attempt delivered, or there was none.
  struct failing {
    wall_time since;
    std::string says;
  };
  [[nodiscard]] const failing* is_failing(const std::string& target) const;
  /// After a reload: targets that may have been mended are tried at once, and what waits for one that is gone is given up.
  void use(const std::set<std::string>& targets, const moment& now);

  /// All, the newest first.
  [[nodiscard]] std::vector<const parcel*> all() const;

  /// One row of what is on disk: without text it is to go.
  struct row {
    std::string letter, target;
    std::optional<std::string> text;
  };
  /// What has changed since this was asked last.
  std::vector<row> take_changes();
  /// Those were not written.
  void not_written(const std::vector<row>& rows);
  /// Nothing is on disk of what was: all is to be written again.
  void write_all();
  /// A row of an earlier life. What was under way may have been delivered, and is delivered again. What can't be read gives false, and is
  /// to go.
  bool restore(const row& from, const moment& now);

 private:
  using key = std::pair<std::string, std::string>;  ///< letter and target
  struct health {
    unsigned failures = 0;  ///< in a row
    failing since;
    instant due{};
  };

  parcel* find(const std::string& letter, const std::string& target);
  void change(const parcel& of) { changed_.emplace(of.what.id(), of.target); }
  void supersede(const letter& by, const std::string& target);
  void make_room(const moment& now);
  [[nodiscard]] bool is_needed(const parcel& p) const;
  [[nodiscard]] const parcel* head(const parcel& of) const;
  [[nodiscard]] std::string kept_of(const std::string& matter, const std::string& target) const;

  std::vector<parcel> parcels_;  ///< in the order in which they were posted
  std::map<std::string, health> targets_;
  std::set<key> changed_;
  std::vector<parcel> dropped_;
};

}  // namespace flipback::notify
