#pragma once

#include "agent/incident/history_file.hpp"
#include "agent/notify/letter.hpp"
#include "agent/notify/matter.hpp"
#include "agent/notify/notices.hpp"

#include <boost/json/object.hpp>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace flipback::notify {

/// Writes the letters: which of all that happens people are told, when, and in how many. Pure: events in their order and the time come in.
///
/// A matter is told as it stands a moment after something happened, so that a breach, the decision and the proof are one letter; then each
/// time that something else became of it, and always at its end. Rules that only alert and are breached at one time are one matter; while
/// an incident is open they are part of it.
class desk {
 public:
  static constexpr duration alerts_gather_for = std::chrono::seconds(10);
  static constexpr duration alerts_are_over_after = std::chrono::seconds(30);  ///< none was breached for so long
  static constexpr std::size_t most_of_one = 1'000;                            ///< events of an incident that are remembered here
  static constexpr std::size_t most_ill = 12;                                  ///< in a letter
  static constexpr std::size_t most_news = 30;                                 ///< in a letter, the newest

  void use(manners how) { how_ = std::move(how); }
  /// An event as it is told, with the incident that it belongs to.
  void take(const event& e, const moment& now);
  /// An event of the incident that an earlier life left open, after `restore`.
  void recall(const incident::happening& h, const moment& now);
  /// After a start and each reload: whether an incident is open, and which rules only alert. What was open for others is over.
  void settle(bool incident_is_open, const std::set<std::string>& alerting, const moment& now);

  /// The letters whose time has come.
  std::vector<letter> due(const moment& now);
  /// When `due` is to be called next; nothing: once something happens.
  [[nodiscard]] std::optional<instant> next() const;
  /// The incident that people were told of, or are to be told of, by its id; empty: there is none.
  [[nodiscard]] std::string incident() const { return incident_ ? incident_->id() : ""; }
  /// What people were told of and is not over, by its id.
  [[nodiscard]] std::set<std::string> open() const;
  /// What people were told of, is not over, and nobody has acknowledged, in a few words; empty: there is nothing.
  [[nodiscard]] std::string awaits_acknowledgement() const;

  /// What is to outlast a restart: all but an incident's events, which are on record.
  [[nodiscard]] boost::json::object kept(const moment& now) const;
  /// What can't be read of it is left out.
  void restore(const boost::json::object& from, const moment& now);

 private:
  struct alert {
    std::string says;
    flipback::severity severity = flipback::severity::warning;
  };
  struct live {
    std::string slot, release;
  };

  matter& incident_of(const event& e, const moment& began, const moment& now);
  void take_incident(const event& e, const moment& now);
  void end_incident(const moment& now);
  void take_probe(const event& e);
  void take_alert(const event& e, const moment& now);
  void take_cutover(const event& e, const moment& now);
  void gather_alerts(const moment& now);
  [[nodiscard]] bool is_unfounded() const;
  std::vector<letter> written(const moment& now);
  void remember(incident::happening h);
  [[nodiscard]] letter letter_on(const matter& of, subject about, const moment& now) const;
  [[nodiscard]] letter on_incident(const moment& now) const;
  [[nodiscard]] letter on_alerts(const moment& now) const;
  letter at_once(subject about, const event& e, const moment& now);

  manners how_;
  std::optional<matter> incident_;
  std::vector<incident::happening> happened_;  ///< of that incident
  std::optional<matter> alerts_;
  std::map<std::string, alert> breached_;  ///< rules that only alert
  std::optional<instant> alerts_end_;      ///< if none is breached until then
  std::vector<incident::happening> alerted_;
  notices notices_;
  std::vector<letter> ready_;
  std::size_t at_once_ = 0;  ///< letters that are all there is of their matter
  live live_;
  std::map<std::string, std::string> failing_;  ///< probes, with why
};

}  // namespace flipback::notify
