#pragma once

#include "flipback/event.hpp"

#include "agent/config/configuration.hpp"

#include <memory>

namespace spdlog {
class logger;
}

namespace flipback {

/// Where events are told: a line each on standard error, for people or as JSON. Written by a thread of its own, so that a reader who
/// doesn't read holds nobody up; past a bound the oldest lines are lost.
class journal {
 public:
  /// `least` is the least severity that is told.
  journal(config::log_format format, severity least);
  ~journal();
  journal(const journal&) = delete;
  journal& operator=(const journal&) = delete;

  void tell(const event& e);

 private:
  std::shared_ptr<spdlog::logger> lines_;
  bool json_;
  bool for_journald_;
  severity least_;
};

}  // namespace flipback
