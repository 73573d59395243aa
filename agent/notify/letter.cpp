#include "agent/notify/letter.hpp"

#include "flipback/timestamp.hpp"
#include "flipback/utf8.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace flipback::notify {

namespace json = boost::json;

namespace {

constexpr std::array<std::string_view, 5> subjects{"incident", "alerts", "notice", "cutover", "trial"};
constexpr std::array<std::string_view, 3> stages{"begun", "changed", "ended"};

/// Reads an object that `as_object` made. What is missing or of another type is an empty value here, and is found out by `letter_in`.
class reader {
 public:
  explicit reader(const json::object& from) : from_(&from) {}

  [[nodiscard]] std::string text(std::string_view key) const {
    const json::value* found = from_->if_contains(key);
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
  }
  [[nodiscard]] bool yes_or_no(std::string_view key) const {
    const json::value* found = from_->if_contains(key);
    return found != nullptr && found->is_bool() && found->get_bool();
  }
  [[nodiscard]] unsigned number(std::string_view key) const {
    const json::value* found = from_->if_contains(key);
    const auto read = found != nullptr ? json::try_value_to<std::uint32_t>(*found) : json::result<std::uint32_t>();
    return read.has_value() ? *read : 0;
  }
  [[nodiscard]] wall_time time(std::string_view key) const { return parse_timestamp(text(key)).value_or(wall_time()); }
  [[nodiscard]] const json::array& list(std::string_view key) const {
    static const json::array none;
    const json::value* found = from_->if_contains(key);
    return found != nullptr && found->is_array() ? found->get_array() : none;
  }
  template <typename Enumeration>
  [[nodiscard]] Enumeration one_of(std::string_view key, Enumeration last) const {
    for (std::uint8_t i = 0; i < static_cast<std::uint8_t>(last); ++i) {
      if (name_of(static_cast<Enumeration>(i)) == text(key)) return static_cast<Enumeration>(i);
    }
    return last;
  }

 private:
  const json::object* from_;
};

std::vector<std::string> ill_in(const json::array& list) {
  std::vector<std::string> made;
  for (const json::value& one : list) made.emplace_back(one.is_string() ? std::string(one.get_string()) : std::string());
  return made;
}

std::vector<piece_of_news> news_in(const json::array& list) {
  std::vector<piece_of_news> made;
  for (const json::value& one : list) {
    const json::object none;
    const reader from(one.is_object() ? one.get_object() : none);
    made.push_back({from.time("at"), from.text("says")});
  }
  return made;
}

json::string safe(std::string_view text) {
  return json::string(well_formed(text));
}

/// "2m4s": what lasted longer than some seconds needs no milliseconds.
std::string lasted_text(const letter& what) {
  const duration all = std::max(what.lasted(), duration::zero());
  return format_duration(all < std::chrono::seconds(10) ? std::chrono::floor<std::chrono::milliseconds>(all)
                                                        : std::chrono::floor<std::chrono::seconds>(all));
}

/// Why it comes again, or comes to somebody else than at first.
std::string urging_of(const letter& what) {
  const std::string level = what.level > 1 ? fmt::format(", level {}", what.level) : "";
  if (what.reminds) return fmt::format("Nobody has acknowledged it for {}{}.", lasted_text(what), level);
  return what.level > 1 ? fmt::format("Escalated to level {} after {}.", what.level, lasted_text(what)) : "";
}

}  // namespace

std::string_view name_of(subject s) {
  return subjects.at(static_cast<std::size_t>(s));
}

std::string_view name_of(stage s) {
  return stages.at(static_cast<std::size_t>(s));
}

std::string letter::id() const {
  return fmt::format("{}/{}", matter, number);
}

json::object as_object(const letter& what) {
  json::array ill;
  for (const std::string& one : what.ill) ill.emplace_back(safe(one));
  json::array news;
  for (const piece_of_news& one : what.news) news.push_back(json::object{{"at", time_text(one.at)}, {"says", safe(one.says)}});
  return {{"id", safe(what.id())},
          {"matter", safe(what.matter)},
          {"number", std::int64_t{what.number}},
          {"subject", name_of(what.about)},
          {"stage", name_of(what.at)},
          {"severity", name_of(what.severity)},
          {"began", time_text(what.began)},
          {"written", time_text(what.written)},
          {"lasted", lasted_text(what)},
          {"title", safe(what.title)},
          {"stands", safe(what.stands)},
          {"ill", std::move(ill)},
          {"type", safe(what.type)},
          {"news", std::move(news)},
          {"acknowledged", safe(what.acknowledged)},
          {"level", std::int64_t{what.level}},
          {"reminds", what.reminds},
          {"outcome", safe(what.outcome)},
          {"live", safe(what.live)},
          {"release", safe(what.release)},
          {"previous", safe(what.previous)},
          {"previous_release", safe(what.previous_release)},
          {"by_flipback", what.by_flipback},
          {"link", safe(what.link)}};
}

std::optional<letter> letter_in(const json::object& from) {
  const reader read(from);
  letter made;
  made.matter = read.text("matter");
  made.number = read.number("number");
  made.about = read.one_of("subject", subject::trial);
  made.at = read.one_of("stage", stage::ended);
  made.severity = read.one_of("severity", severity::critical);
  made.began = read.time("began");
  made.written = read.time("written");
  made.title = read.text("title");
  made.stands = read.text("stands");
  made.ill = ill_in(read.list("ill"));
  made.type = read.text("type");
  made.news = news_in(read.list("news"));
  made.acknowledged = read.text("acknowledged");
  made.level = read.number("level");
  made.reminds = read.yes_or_no("reminds");
  made.outcome = read.text("outcome");
  made.live = read.text("live");
  made.release = read.text("release");
  made.previous = read.text("previous");
  made.previous_release = read.text("previous_release");
  made.by_flipback = read.yes_or_no("by_flipback");
  made.link = read.text("link");
  // Another version may write more keys, or fewer. What is of another type, or contradicts another key, no version writes.
  const json::object written = as_object(made);
  const auto agrees = [&](const auto& one) {
    const json::value* const found = from.if_contains(one.key());
    return found == nullptr || *found == one.value();
  };
  const bool says_what_it_is = from.contains("subject") && from.contains("stage");
  if (!says_what_it_is || !std::ranges::all_of(written, agrees) || made.matter.empty() || made.number == 0 || made.level == 0)
    return std::nullopt;
  return made;
}

std::string line::text() const {
  switch (is) {
    case about::type:
      return "Type: " + says;
    case about::ill:
      return "Also ill: " + says;
    case about::news:
      return fmt::format("{}Z {}", time_text(at).substr(11, 8), says);
    default:
      return says;
  }
}

std::vector<line> as_lines(const letter& what) {
  using enum line::about;
  std::vector<line> lines;
  const auto add = [&](line::about is, std::string says, wall_time at = {}) {
    if (!says.empty()) lines.push_back({is, std::move(says), at});
  };
  add(stands, what.stands);
  add(urging, urging_of(what));
  add(type, what.type);
  for (const std::string& one : what.ill) add(ill, one);
  add(acknowledged, what.acknowledged);
  for (const piece_of_news& one : what.news) add(news, one.says, one.at);
  add(link, what.link);
  return lines;
}

std::string as_text(const letter& what, bool with_title) {
  std::string text = with_title ? what.title : "";
  for (const line& one : as_lines(what)) {
    if (!text.empty()) text += '\n';
    text += one.text();
  }
  return text;
}

}  // namespace flipback::notify
