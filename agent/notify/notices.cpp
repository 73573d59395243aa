#include "agent/notify/notices.hpp"

#include "agent/incident/book.hpp"
#include "agent/notify/kept_time.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <string_view>

namespace flipback::notify {

namespace json = boost::json;

namespace {

/// What an incident or a rule tells in its own letter, and what notifications say of themselves. What else happens while an incident is
/// open is of the agent or of the deployment, and told by itself.
bool is_told_elsewhere(const event& e) {
  constexpr std::array<std::string_view, 4> rooms{"verdict.", "probe.", "incident.", "notify."};
  const bool is_its_rollback = e.kind.starts_with("rollback.") && !incident::text_of(e, "incident").empty();
  // Whoever types a flip is answered; that it did not end as it was to, and not as it was, everybody is told.
  const bool is_an_end = e.kind == "flip.closed" || e.kind == "flip.recovered";
  const bool is_a_flips = e.kind.starts_with("flip.") && !(is_an_end && e.severity == severity::critical);
  return is_its_rollback || is_a_flips || std::ranges::any_of(rooms, [&](auto room) { return e.kind.starts_with(room); });
}

}  // namespace

bool notices::take(const event& e, instant now) {
  if (e.severity < severity::warning || is_told_elsewhere(e)) return false;
  std::erase_if(told_, [&](const auto& one) { return now - one.second >= same_again_after; });
  while (!newest_.empty() && now - newest_.front() >= std::chrono::hours(1)) newest_.pop_front();
  if (!told_.try_emplace(e.kind + ": " + e.says, now).second) return false;
  if (newest_.size() >= most_an_hour && e.severity < severity::critical) {
    told_.erase(e.kind + ": " + e.says);
    ++left_out_;
    return false;
  }
  newest_.push_back(now);
  return true;
}

json::array notices::kept(const deployment::moment& now) const {
  json::array all;
  for (const auto& [what, at] : told_) all.push_back(json::object{{"what", what}, {"at", kept_time(at, now)}});
  return all;
}

void notices::restore(const json::array& from, const deployment::moment& now) {
  for (const json::value& one : from) {
    const json::object* const o = one.if_object();
    const json::value* const what = o == nullptr ? nullptr : o->if_contains("what");
    const json::value* const at = o == nullptr ? nullptr : o->if_contains("at");
    if (what == nullptr || at == nullptr || !what->is_string() || !at->is_int64()) continue;
    const instant told = time_kept_as(at->get_int64(), now).at;
    told_.emplace(what->get_string(), told);
    newest_.push_back(told);
  }
  std::ranges::sort(newest_);
}

}  // namespace flipback::notify
