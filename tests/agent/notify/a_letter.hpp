#pragma once

#include "agent/notify/letter.hpp"

#include <chrono>

/// Letters for tests, with something in every field.
namespace flipback::notify {

/// Seconds after 2026-11-27T09:04:11.791Z.
inline wall_time at_second(int s) {
  using namespace std::chrono;
  return sys_days(year(2026) / 11 / 27) + hours(9) + minutes(4) + milliseconds(11791) + seconds(s);
}

inline letter an_incident() {
  letter made;
  made.matter = "20261127T090411.791Z";
  made.severity = severity::critical;
  made.began = at_second(0);
  made.written = at_second(2);
  made.title = "error-rate is breached on green with 1.5.0: 12.1% > 5%";
  made.stands = "Users reach blue with 1.4.2: proven at 09:04:13Z.";
  made.ill = {"redis: connecting to 127.0.0.1:6379 was refused"};
  made.type = "flipback status";
  made.news = {{at_second(0), "error-rate is breached: 12.1% > 5%"}, {at_second(1), "rolling back to blue"}};
  made.live = "blue";
  made.release = "1.4.2";
  made.previous = "green";
  made.previous_release = "1.5.0";
  made.link = "https://ops.example.com/flipback/incidents/20261127T090411.791Z";
  return made;
}

inline letter ended(letter of, std::string outcome = "rolled back", int after = 124) {
  of.at = stage::ended;
  of.number += 2;
  of.written = at_second(after);
  of.outcome = std::move(outcome);
  of.news = {{at_second(after), "error-rate is ok: 0.1%"}};
  return of;
}

inline letter a_cutover(bool by_flipback = false) {
  letter made;
  made.matter = "cutover-20261127T090411.791Z";
  made.about = subject::cutover;
  made.at = stage::ended;
  made.severity = severity::info;
  made.began = made.written = at_second(0);
  made.title = "green with 1.5.0 is live in the place of blue with 1.4.2";
  made.live = "green";
  made.release = "1.5.0";
  made.previous = "blue";
  made.previous_release = "1.4.2";
  made.by_flipback = by_flipback;
  return made;
}

}  // namespace flipback::notify
