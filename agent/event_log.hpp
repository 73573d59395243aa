#pragma once

#include "flipback/event.hpp"

#include "agent/config/configuration.hpp"

#include <memory>
#include <string>

namespace flipback {

/// Where events are told: a line each on a descriptor, for people or for programs. Written by a thread of its own, so that a reader who
/// doesn't read holds nobody up; past a bound the oldest lines are lost, and how many is said once lines are read again.
class event_log {
 public:
  /// `least` is the least severity that is told. `descriptor` is standard error, or a
  /// test's; it stays open and as it is: others may share it.
  event_log(config::log_format format, severity least, int descriptor);
  /// What was told is written, unless nobody reads it: then it is given up, within half a second.
  ~event_log();
  event_log(const event_log&) = delete;
  event_log& operator=(const event_log&) = delete;

  void tell(const event& e);

 private:
  struct lines;
  std::shared_ptr<lines> lines_;
  severity least_;
};

}  // namespace flipback
