#pragma once

#include "flipback/probe.hpp"

#include "agent/config/configuration.hpp"

#include <memory>
#include <string>
#include <vector>

namespace flipback {

/// What each slot must pass before a flip to it (`checks`), asked of that very slot when it is to be known: an answer of another slot, or
/// of another time, is none.
class slot_checks {
 public:
  /// `configured` need not outlive it.
  slot_checks(asio::io_context& loop, const config::configuration& configured, const surroundings& in);

  /// The first of the slot's checks, in their order, that does not pass, in words: "login (answered 500)"; empty: all do. Each has its
  /// probe's own time-out. After wrong credentials a probe is not asked again for 5 min: some services lock a user out for less.
  asio::awaitable<std::string> unmet(std::size_t slot);

 private:
  struct check {
    std::string name;
    duration timeout{};
    std::unique_ptr<probe> asks;
    instant not_before{};
    std::string refused;  ///< what the wrong credentials were answered with
    bool asking = false;
  };
  asio::awaitable<std::string> unmet(check& c);

  asio::io_context& loop_;
  std::vector<std::vector<check>> of_slots_;
};

}  // namespace flipback
