#pragma once

#include "tests/agent/deployment/story.hpp"

#include <optional>
#include <string>
#include <utility>

namespace flipback::deployment {

inline bool has(const std::optional<std::pair<bool, std::string>>& answered, bool done, const std::string& part) {
  REQUIRE(answered);
  INFO(answered->second);
  CHECK(answered->first == done);
  CHECK_MESSAGE(answered->second.find(part) != std::string::npos, answered->second);
  return answered->first == done && answered->second.find(part) != std::string::npos;
}

inline verb approve(const std::string& rule = {}) {
  verb v;
  v.is = verb::kind::approve;
  v.rule = rule;
  return v;
}

inline verb open_window(std::optional<slot_number> stable) {
  verb v;
  v.is = verb::kind::window_open;
  v.slot = stable;
  return v;
}

}  // namespace flipback::deployment
