#include "agent/notify/matter.hpp"

#include "agent/notify/kept_time.hpp"

#include <boost/json/value.hpp>

#include <algorithm>
#include <utility>

namespace flipback::notify {

namespace json = boost::json;

void matter::hear(urgency how, instant now) {
  const instant at = how == urgency::at_once || told_ == 0 ? now + settles_in : std::max(now + settles_in, written_ + in_time_every);
  write_at_ = write_at_ ? std::min(*write_at_, at) : at;
}

void matter::escalate_anew(instant now) {
  escalates_ = true;
  acknowledged_.clear();
  raised_ = now;
}

void matter::acknowledge(const std::string& by, instant now) {
  acknowledged_ = by;
  hear(urgency::at_once, now);
}

void matter::end(instant now) {
  over_ = true;
  hear(urgency::at_once, now);
}

std::optional<instant> matter::raises_at(const manners& by) const {
  if (!escalates_ || over_ || told_ == 0 || !acknowledged_.empty() || level_ > by.escalate_after.size()) return std::nullopt;
  return raised_ + by.escalate_after[level_ - 1];
}

std::optional<instant> matter::reminds_at(const manners& by) const {
  if (!escalates_ || over_ || told_ == 0 || !acknowledged_.empty() || by.remind_every == duration{}) return std::nullopt;
  return written_ + by.remind_every;
}

bool matter::is_due(const manners& by, instant now) {
  const auto has_come = [now](const std::optional<instant>& at) { return at && *at <= now; };
  const bool is_news = has_come(write_at_);
  const bool raises = has_come(raises_at(by));
  reminds_ = !is_news && (raises || has_come(reminds_at(by)));
  if (!is_news && !reminds_) return false;
  if (raises) ++level_;
  if (raises || told_ == 0) raised_ = now;
  write_at_.reset();
  written_ = now;
  ++told_;
  return true;
}

std::optional<instant> matter::next(const manners& by) const {
  std::optional<instant> earliest;
  for (const auto& at : {write_at_, raises_at(by), reminds_at(by)}) {
    if (at && (!earliest || *at < *earliest)) earliest = at;
  }
  return earliest;
}

json::object matter::kept(const moment& now) const {
  return {{"id", id_},
          {"began", kept_time(began_.at, now)},
          {"escalates", escalates_},
          {"told", told_},
          {"written", kept_time(written_, now)},
          {"level", level_},
          {"over", over_},
          {"raised", kept_time(raised_, now)},
          {"acknowledged", acknowledged_},
          {"owes", write_at_.has_value()}};
}

std::optional<matter> matter::restored(const json::object& from, const moment& now) {
  try {
    const auto time = [&](const char* key) { return time_kept_as(from.at(key).as_int64(), now); };
    matter made(std::string(from.at("id").as_string()), time("began"), from.at("escalates").as_bool());
    made.told_ = from.at("told").to_number<unsigned>();
    made.level_ = from.at("level").to_number<unsigned>();
    made.over_ = from.at("over").as_bool();
    made.acknowledged_ = from.at("acknowledged").as_string();
    if (made.level_ == 0) return std::nullopt;
    if (made.told_ > 0) {
      made.written_ = time("written").at;
      made.raised_ = time("raised").at;
    }
    if (from.at("owes").as_bool()) made.hear(urgency::at_once, now.at);
    return made;
  } catch (const std::exception&) {  // not what `kept` makes
    return std::nullopt;
  }
}

}  // namespace flipback::notify
