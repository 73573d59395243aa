#pragma once

#include "flipback/event.hpp"
#include "flipback/units.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Telling people. Nothing is decided here, and nothing that decides waits for it.
namespace flipback::notify {

/// What a letter is about.
enum class subject : std::uint8_t {
  incident,  ///< a rollback rule that is breached, and all that came of it
  alerts,    ///< rules that only alert and are breached at one time
  notice,    ///< something that a person should see to: a rollback would lack something, the configuration was refused
  cutover,   ///< a release was put live, by whomever, or Flipback put another back
  trial      ///< `flipback notify test`
};
std::string_view name_of(subject s);

/// Where the matter stands that a letter is about.
enum class stage : std::uint8_t { begun, changed, ended };
std::string_view name_of(stage s);

/// One line of what happened.
struct piece_of_news {
  wall_time at;
  std::string says;
  friend bool operator==(const piece_of_news&, const piece_of_news&) = default;
};

/// What people are told of one matter, as it stands when the letter is written. Each letter says all of it: one that arrives makes up for
/// those before it that did not. Plain text without any secret; what comes from outside is bounded and without controls.
struct letter {
  std::string matter;   ///< what it is about, by its id: "20261127T090411.791Z" of an incident, "alerts-20261127T090411.791Z"
  unsigned number = 1;  ///< of the matter: 1, 2, 3 …
  subject about = subject::incident;
  stage at = stage::begun;
  flipback::severity severity = flipback::severity::warning;
  wall_time began;
  wall_time written;
  std::string title;                       ///< one line: "error-rate is breached on green with 1.5.0: 12.1% > 5%"
  std::string stands;                      ///< one sentence: which slot users reach, proven when, or why nothing was done; may be empty
  std::vector<std::string> ill;            ///< what else is ill: rules and probes, a sentence each
  std::string type;                        ///< what a person types next; may be empty
  std::vector<piece_of_news> news;         ///< the newest, the oldest of them first: verdicts, decisions, steps, outcomes
  std::string acknowledged;                ///< by whom and why; empty: by nobody
  unsigned level = 1;                      ///< to which it has escalated: 1 to 3
  bool reminds = false;                    ///< nothing is new: nobody has acknowledged it
  std::string outcome;                     ///< of one that has ended; what became of it
  std::string live, release;               ///< the slot that is live now, and what runs there; empty: not known
  std::string previous, previous_release;  ///< of a cutover: what was live before
  bool by_flipback = false;                ///< of a cutover: a rollback made it
  std::string link;                        ///< the page of this agent, as people reach it; empty: not configured

  /// The same wherever and however often it is sent: "20261127T090411.791Z/2".
  [[nodiscard]] std::string id() const;
  [[nodiscard]] duration lasted() const { return std::chrono::duration_cast<duration>(written - began); }
  friend bool operator==(const letter&, const letter&) = default;
};

/// As a webhook sends it, a command reads it and the outbox keeps it (packaging/docs/notifications.md: "The letter as JSON").
boost::json::object as_object(const letter& what);
/// A letter of such an object. Nothing: it is none.
std::optional<letter> letter_in(const boost::json::object& from);

/// One line of a letter as people read it.
struct line {
  enum class about : std::uint8_t {
    ending,        ///< for how long it lasted, and what became of it
    stands,        ///< as in the letter
    urging,        ///< why it comes again, or comes to somebody else than at first
    type,          ///< what to type next
    ill,           ///< what else is ill
    acknowledged,  ///< by whom, and why
    news,          ///< one line of what happened, with its time in UTC
    link           ///< as in the letter
  };
  about is;
  std::string says;                        ///< without what `text` puts before it
  wall_time at{};                          ///< of news
  [[nodiscard]] std::string text() const;  ///< "Type: flipback status", "09:04:11Z rolling back to blue"
};
/// All that it says below its title, in the order in which a person who was woken needs it.
std::vector<line> as_lines(const letter& what);
/// As people read it: the title, and below it, a line each, all that it says; without the title where the target has a place of its own
/// for that.
std::string as_text(const letter& what, bool with_title = true);

}  // namespace flipback::notify
