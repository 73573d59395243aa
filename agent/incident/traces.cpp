#include "agent/incident/traces.hpp"

#include "flipback/quoted.hpp"
#include "flipback/unix_milliseconds.hpp"

#include "agent/incident/book.hpp"
#include "agent/json_values.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace flipback::incident {

namespace json = boost::json;

namespace {

std::int64_t oldest_kept(wall_time now) {
  return unix_milliseconds(now) - std::chrono::duration_cast<std::chrono::milliseconds>(traces::kept_for).count();
}

/// Which events are marks, and by which word.
constexpr std::array<std::pair<std::string_view, std::string_view>, 9> marking{{{"deployment.cutover", "cutover"},
                                                                                {"deployment.failover", "failover"},
                                                                                {"rollback.decided", "rollback"},
                                                                                {"rollback.closed", "rollback ended"},
                                                                                {"rollback.recovered", "rollback ended"},
                                                                                {"rollback.held", "hold"},
                                                                                {"rollback.freed", "unhold"},
                                                                                {"rollback.unlatched", "unlatch"},
                                                                                {"incident.acknowledged", "acknowledged"}}};

}  // namespace

void traces::take(const std::vector<reading>& all, wall_time at) {
  std::erase_if(rules_, [&](const auto& known) { return std::ranges::find(all, known.first, &reading::rule) == all.end(); });
  for (const reading& r : all) {
    trace& its = rules_[r.rule];
    if (r.value) its.in = r.in;
    if (r.threshold) its.threshold = r.threshold;
    its.points.push_back({unix_milliseconds(at), r.value});
    while (its.points.size() > most_points || its.points.front().at < oldest_kept(at)) its.points.pop_front();
  }
}

void traces::take(const event& e, wall_time at) {
  const auto found = std::ranges::find(marking, e.kind, &std::pair<std::string_view, std::string_view>::first);
  if (found == marking.end()) return;
  const bool went_back = text_of(e, "outcome") == "rolled back" && e.kind.starts_with("rollback.");
  marks_.push_back({unix_milliseconds(at), went_back ? "rolled back" : found->second, quoted(e.says, {}, longest_mark)});
  while (marks_.size() > most_marks || marks_.front().at < oldest_kept(at)) marks_.pop_front();
}

json::object traces::as_object() const {
  json::object rules;
  for (const auto& [name, its] : rules_) {
    json::array points;
    for (const traced& p : its.points) points.push_back(json::array{p.at, number_or_null(p.value)});
    rules[name] = json::object{{"unit", word_of(its.in)}, {"threshold", number_or_null(its.threshold)}, {"points", std::move(points)}};
  }
  json::array marks;
  for (const mark& m : marks_) marks.push_back(json::object{{"at", m.at}, {"kind", m.kind}, {"says", m.says}});
  return {{"every", to_seconds(every)}, {"rules", std::move(rules)}, {"marks", std::move(marks)}};
}

}  // namespace flipback::incident
