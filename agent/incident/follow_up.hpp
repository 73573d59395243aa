#pragma once

#include "flipback/event.hpp"

#include "agent/incident/evidence.hpp"
#include "agent/incident/helped.hpp"
#include "agent/incident/history_file.hpp"
#include "agent/incident/traces.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <functional>
#include <vector>

namespace flipback::incident {

/// Looks every few seconds how the rules' values go, and what users meet with: for a picture of now, as evidence with an incident, and to
/// tell whether a rollback helped.
class follow_up {
 public:
  struct surroundings {
    std::function<std::vector<reading>()> rules;  ///< those that roll back, as they are now
    /// In (from, to], as far back as it is known; nothing: nobody counts. Of all users; and of those alone that the live slot answered
    /// since the cutover, where that can be told.
    using count = std::function<std::optional<users_met>(instant from, instant to)>;
    count users, of_live;
    std::function<instant()> live_since;                         ///< of what is live: the newest cutover
    std::function<void(event)> tell;                             ///< what everybody is to hear
    std::function<void(const event&, wall_time)> put_on_record;  ///< what is for the record alone
  };
  follow_up(boost::asio::io_context& loop, surroundings of);

  /// What was told, the incident's id in it.
  void take(const event& e, wall_time at);
  /// What an earlier life has told, oldest first: a rollback that it could not measure any more is not left without a word.
  void recall(const std::vector<happening>& operations);
  /// Puts on record what was until now, before somebody reads it.
  void bring_up_to_date();
  /// The agent ends: what was until now is put on record.
  void end();
  /// Until cancelled.
  boost::asio::awaitable<void> run();

  [[nodiscard]] const traces& seen() const { return traces_; }

 private:
  [[nodiscard]] std::vector<reading> readings() const;
  void decided(const std::string& incident);
  void tell_whether_it_helped();
  void look();
  void put_on_record(wall_time at);

  boost::asio::io_context& loop_;
  surroundings of_;
  traces traces_;
  evidence evidence_;
  helped helped_;
};

}  // namespace flipback::incident
