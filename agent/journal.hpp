#pragma once

#include "flipback/event.hpp"

#include <memory>
#include <string>

namespace spdlog {
class logger;
}

namespace flipback {

/// Where events are told: a line each on standard error, for people or as JSON. Written by a thread of its own, so that a reader who
/// doesn't read holds nobody up; past a bound the oldest lines are lost.
class journal {
 public:
  /// `format` is "text" or "json", `level` the least severity told: debug, info, warning or critical.
  journal(const std::string& format, const std::string& level);
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
