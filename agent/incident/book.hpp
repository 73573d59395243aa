#pragma once

#include "flipback/event.hpp"

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

/// What happened, for people and for afterwards. Nothing is decided here, and nothing that decides waits for it.
namespace flipback::incident {

/// One that is not over.
struct ongoing {
  std::string id;  ///< when it began: "20261127T090411.791Z"
  wall_time began;
  std::set<std::string> rules;   ///< rollback rules of it that are breached or pending
  std::set<std::string> untold;  ///< those of which it can't be told whether they still are
  bool breached = false;         ///< one of them was, at some time
  bool rolling = false;          ///< a rollback is under way
  bool moved_on = false;         ///< another release is live than when it began: what can't be told of a rule is no word of the former
  std::string outcome;           ///< of the last rollback; empty: there was none
  std::string stance, guard;     ///< why nothing was done: the event's kind, and what was in the way
};

/// Tells which incident what happens belongs to. An incident begins when a rollback rule becomes pending or breached, or a rollback is
/// ordered, while none is open: rules that are breached together are one. It ends when all of them are over and no rollback is under way.
/// Pure: events in their order and the wall's time come in, and go out with the incident's id.
class book {
 public:
  /// The event as it is to be told, with `incident` among its fields where one is open; before it `incident.began`, where it begins one,
  /// and after it `incident.ended`.
  std::vector<event> take(event e, wall_time at);

  /// Notes what was put live, or back: of what is told now it is done by `take`; of what an earlier life has told, the oldest first, by
  /// whoever has read that.
  void note_cutover(const event& e, wall_time at);

  /// Goes on with the newest incident that an earlier life has told, by its own events in their order.
  void recall(const event& e, wall_time at);

  /// After a start and each reload: which rollback rules there are, and whether a rollback is under way. What was open for a rule that is
  /// gone is over, and so is a rollback whose end was never told: `incident.ended`, or nothing.
  std::vector<event> settle(const std::set<std::string>& rules, bool rolling, wall_time at);

  [[nodiscard]] const std::optional<ongoing>& now() const { return now_; }

 private:
  void see(const event& e);
  [[nodiscard]] event began(const event& by, wall_time at) const;
  [[nodiscard]] event ended(wall_time at) const;
  [[nodiscard]] bool is_over() const;

  struct newest_cutover {
    std::string slot, release;  ///< that it put live
    wall_time at;
  };
  std::optional<newest_cutover> cutover_;  ///< the newest, unless it was rolled back
  std::optional<ongoing> now_;
};

/// The value of a text field; empty where the event has none.
std::string text_of(const event& e, std::string_view field);
/// The value of a field that is a number with a fraction; nothing where the event has none.
std::optional<double> number_in(const event& e, std::string_view field);

/// Whether it says that a rule that rolls back has another verdict.
bool is_of_a_rollback_rule(const event& e);
/// Whether it says that one is breached.
bool is_a_breach(const event& e);
/// Whether it says why a breach is not acted on.
bool is_a_stance(const event& e);

/// What is worth a line in the operations' log: what was put live, decided, done, held, and became of it.
bool is_operation(std::string_view kind);

}  // namespace flipback::incident
