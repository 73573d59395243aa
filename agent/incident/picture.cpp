#include "agent/incident/picture.hpp"

#include "flipback/in_xml.hpp"
#include "flipback/timestamp.hpp"
#include "flipback/unix_milliseconds.hpp"

#include "agent/incident/book.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace flipback::incident {

namespace {

// Of the picture, in its own units.
constexpr double width = 960, left = 72, right = 24, heading = 58, title = 26, panel = 150, axis = 44;
constexpr double label_width = 6.6;            ///< of a character of a mark's label, about
constexpr std::int64_t shortest = 120'000;     ///< milliseconds that a picture shows at least
constexpr std::int64_t longest_step = 15'000;  ///< milliseconds between two points that are joined: three readings

constexpr std::string_view style = R"(
  svg { background: #fff; font: 12px system-ui, sans-serif; }
  text { fill: #444; } .head { fill: #111; font-size: 15px; font-weight: 600; } .name { fill: #111; font-weight: 600; }
  .frame { fill: none; stroke: #ccc; } .value { fill: none; stroke: #0b5cad; stroke-width: 1.8; }
  .limit { stroke: #b3261e; stroke-dasharray: 6 4; } .limit-word { fill: #b3261e; } .mark { stroke: #777; stroke-dasharray: 2 3; }
  @media (prefers-color-scheme: dark) {
    svg { background: #14171a; } text { fill: #bbb; } .head, .name { fill: #eee; } .frame { stroke: #444; }
    .value { stroke: #7db8f0; } .limit { stroke: #ff8a80; } .limit-word { fill: #ff8a80; } .mark { stroke: #999; }
  }
)";

struct turn {
  std::int64_t at;
  std::string word;
};

/// What happened, in one word each.
std::vector<turn> turns_of(const report& r) {
  std::vector<turn> turns;
  bool is_pending = false;
  bool is_breached = false;
  if (r.cutover && r.began - r.cutover->at <= evidence::before) turns.push_back({unix_milliseconds(r.cutover->at), "cutover"});
  for (const auto& [at, what] : r.all) {
    std::string word;
    const std::string to = is_of_a_rollback_rule(what) ? text_of(what, "to") : "";
    if (to == "pending" && !std::exchange(is_pending, true)) word = "pending";
    if (to == "breached" && !std::exchange(is_breached, true)) word = "breached";
    if (what.kind == "deployment.cutover") word = "cutover";
    if (what.kind == "rollback.decided") word = "decided";
    if (what.kind == "rollback.closed" || what.kind == "rollback.recovered") word = text_of(what, "outcome");
    if (what.kind == "rollback.held") word = "hold";
    if (what.kind == "incident.ended") word = "over";
    if (!word.empty()) turns.push_back({unix_milliseconds(at), std::move(word)});
  }
  return turns;
}

/// What users met with, and the rules that were breached or pending; where nothing is known of those, all.
std::vector<const signal*> drawn(const report& r) {
  std::vector<const signal*> some;
  std::vector<const signal*> all;
  for (const signal& s : r.signals) {
    if (std::ranges::none_of(s.points, [](const traced& p) { return p.value.has_value(); })) continue;
    all.push_back(&s);
    if (s.rule == users_errors || s.rule == r.rule || std::ranges::find(r.rules, s.rule) != r.rules.end()) some.push_back(&s);
  }
  if (const auto users = std::ranges::find(some, users_errors, &signal::rule); users != some.end())
    std::rotate(some.begin(), users, std::next(users));
  return some.empty() ? all : some;
}

struct time_range {
  std::int64_t from;
  std::int64_t to;
  [[nodiscard]] double x(std::int64_t at) const {
    const auto part = static_cast<double>(at - from) / static_cast<double>(std::max<std::int64_t>(to - from, 1));
    return left + std::clamp(part, 0.0, 1.0) * (width - left - right);
  }
};

/// Precondition: there is a point, or a turn.
time_range range_of(std::span<const signal* const> of, std::span<const turn> turns) {
  time_range all{INT64_MAX, INT64_MIN};
  const auto take = [&](std::int64_t at) { all = {std::min(all.from, at), std::max(all.to, at)}; };
  for (const signal* s : of) {
    for (const traced& p : s->points) take(p.at);
  }
  for (const turn& t : turns) take(t.at);
  all.from = std::min(all.from, all.to - shortest);
  return all;
}

/// The value as a line, broken where nothing is known.
std::string path_of(const signal& s, const time_range& over, double top, double most) {
  std::string path;
  const traced* before = nullptr;
  for (const traced& p : s.points) {
    if (!p.value) {
      before = nullptr;
      continue;
    }
    const double y = top + panel * (1 - std::clamp(*p.value / most, 0.0, 1.0));
    const bool is_joined = before != nullptr && p.at - before->at <= longest_step;
    path += fmt::format("{}{:.1f} {:.1f}", is_joined ? "L" : "M", over.x(p.at), y);
    if (!is_joined) path += "h0.1";  // one point alone is seen, too
    before = &p;
  }
  return path;
}

std::string clock(std::int64_t milliseconds) {
  return time_text(wall_time(std::chrono::milliseconds(milliseconds))).substr(11, 5);
}

std::string time_axis(const time_range& over, double y) {
  constexpr std::int64_t minute = 60'000;
  constexpr std::array<std::int64_t, 9> steps{1, 2, 5, 10, 30, 60, 180, 360, 1440};
  const auto fits = std::ranges::find_if(steps, [&](std::int64_t step) { return (over.to - over.from) / (step * minute) <= 10; });
  const std::int64_t step = (fits == steps.end() ? steps.back() : *fits) * minute;
  std::string text;
  for (std::int64_t at = (over.from / step + 1) * step; at <= over.to && text.size() < 8'000; at += step)
    text += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n", over.x(at), y, clock(at));
  return text;
}

std::string panel_of(const signal& s, const time_range& over, double top) {
  double most = s.threshold.value_or(0);
  for (const traced& p : s.points) most = std::max(most, p.value.value_or(0));
  const double highest = most;
  most = most > 0 ? most * 1.1 : 1;
  const double bottom = top + panel;
  const double end = width - right;
  const std::string name = s.rule == users_errors ? fmt::format("{} (over {})", s.rule, format_duration(users_errors_over)) : s.rule;
  std::string text = fmt::format("<text class=\"name\" x=\"{}\" y=\"{:.1f}\">{}</text>\n", left, top - 8, in_xml(name));
  text += fmt::format("<rect class=\"frame\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n", left, top, end - left, panel);
  const auto label = [&](double y, double value, std::string_view kind) {
    text += fmt::format("<text{} x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n", kind, left - 8, y + 4, format_value(value, s.in));
  };
  label(bottom, 0, "");
  const double limit_at = s.threshold ? top + panel * (1 - std::clamp(*s.threshold / most, 0.0, 1.0)) : bottom;
  if (s.threshold) {
    text += fmt::format("<line class=\"limit\" x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>\n", left, end, limit_at, limit_at);
    label(limit_at, *s.threshold, " class=\"limit-word\"");
  }
  const double highest_at = top + panel * (1 - highest / most);
  if (limit_at - highest_at > 14) label(highest_at, highest, "");
  return text + fmt::format("<path class=\"value\" d=\"{}\"/>\n", path_of(s, over, top, most));
}

/// A line through all panels at each, and its word above; what lies too close for words of its own shares one.
std::string marks_of(std::span<const turn> turns, const time_range& over, double bottom) {
  std::string text;
  for (std::size_t i = 0; i < turns.size();) {
    const double x = over.x(turns[i].at);
    std::string words;
    double reaches = x;
    std::size_t next = i;
    for (; next < turns.size() && over.x(turns[next].at) <= reaches; ++next) {
      text += fmt::format("<line class=\"mark\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\"/>\n", over.x(turns[next].at),
                          heading - 12, bottom);
      words += (words.empty() ? "" : " · ") + turns[next].word;
      reaches = x + label_width * static_cast<double>(words.size() + 2);
    }
    const bool is_late = reaches > width;
    text += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"{}\">{}</text>\n", x, heading - 16, is_late ? "end" : "start",
                        in_xml(words));
    i = next;
  }
  return text;
}

}  // namespace

std::string as_svg(const report& r) {
  const std::vector<const signal*> of = drawn(r);
  const std::vector<turn> turns = turns_of(r);
  const double bottom = heading + static_cast<double>(of.size()) * (title + panel);
  const double height = bottom + axis;
  const std::string head = fmt::format("Incident {}: {}", r.id, r.outcome);
  std::string text = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" "
      "height=\"{1}\" "
      "role=\"img\">\n<title>{2}</title>\n<desc>{3}</desc>\n<style>{4}</style>\n<text class=\"head\" x=\"{5}\" y=\"24\">{2}</text>\n",
      width, height, in_xml(head), in_xml(r.says), style, left);
  if (of.empty()) return text + fmt::format("<text x=\"{}\" y=\"{}\">No value of its rules is on record.</text>\n</svg>\n", left, heading);
  const time_range over = range_of(of, turns);
  double top = heading;
  for (const signal* s : of) {
    text += panel_of(*s, over, top + title);
    top += title + panel;
  }
  text += marks_of(turns, over, bottom) + time_axis(over, bottom + 18);
  return text + fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">UTC, {}</text>\n</svg>\n", width - right, bottom + 36,
                            time_text(wall_time(std::chrono::milliseconds(over.from))).substr(0, 10));
}

}  // namespace flipback::incident
