#include "agent/notify/notices.hpp"

#include "agent/incident/book.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace flipback::notify {

namespace {

/// What an incident or a rule tells in its own letter, and what notifications say of themselves.
bool is_told_elsewhere(const event& e) {
  constexpr std::array<std::string_view, 6> rooms{"verdict.", "probe.", "incident.", "rollback.step", "notify.", "replay."};
  return !incident::text_of(e, "incident").empty() || std::ranges::any_of(rooms, [&](auto room) { return e.kind.starts_with(room); });
}

}  // namespace

bool notices::take(const event& e, instant now) {
  if (e.severity < severity::warning || is_told_elsewhere(e)) return false;
  std::erase_if(told_, [&](const auto& one) { return now - one.second >= same_again_after; });
  while (!newest_.empty() && now - newest_.front() >= std::chrono::hours(1)) newest_.pop_front();
  if (!told_.try_emplace(e.kind + ": " + e.says, now).second) return false;
  if (newest_.size() >= most_an_hour) {
    told_.erase(e.kind + ": " + e.says);
    ++left_out_;
    return false;
  }
  newest_.push_back(now);
  return true;
}

}  // namespace flipback::notify
