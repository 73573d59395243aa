#include "agent/deployment/memory.hpp"

#include <boost/json.hpp>

#include <algorithm>

namespace flipback::deployment {

namespace {

namespace json = boost::json;

double seconds_of(wall_time t) {
  return std::chrono::duration<double>(t.time_since_epoch()).count();
}
wall_time wall_of(double seconds) {
  return wall_time(std::chrono::duration_cast<wall_time::duration>(std::chrono::duration<double>(seconds)));
}

json::object object_of(const std::string& text) {
  boost::system::error_code error;
  json::value parsed = json::parse(text, error);
  return !error && parsed.is_object() ? std::move(parsed.get_object()) : json::object{};
}

std::string string_in(const json::object& from, std::string_view key) {
  const json::value* found = from.if_contains(key);
  return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
}

double number_in(const json::object& from, std::string_view key) {
  const json::value* found = from.if_contains(key);
  return found != nullptr && found->is_number() ? found->to_number<double>() : 0;
}

std::optional<placed> placed_in(const json::object& from, std::string_view slot_key, std::string_view release_key,
                                const std::vector<std::string>& names) {
  const auto at = std::ranges::find(names, string_in(from, slot_key));
  if (at == names.end()) return std::nullopt;
  return placed{static_cast<std::size_t>(at - names.begin()), string_in(from, release_key)};
}

}  // namespace

std::string to_text(const remembered& what, const std::vector<std::string>& slot_names) {
  json::object made{{"live", slot_names[what.live.slot]}, {"release", what.live.release}, {"seen", seconds_of(what.last_seen)}};
  if (what.newest) {
    made["from"] = slot_names[what.newest->from.slot];
    made["from_release"] = what.newest->from.release;
    made["to"] = slot_names[what.newest->to.slot];
    made["to_release"] = what.newest->to.release;
    made["cutover"] = seconds_of(what.newest->wall);
  }
  return json::serialize(made);
}

std::optional<remembered> remembered_from(const std::string& text, const std::vector<std::string>& slot_names) {
  const json::object from = object_of(text);
  const auto live = placed_in(from, "live", "release", slot_names);
  if (!live) return std::nullopt;
  remembered made{*live, wall_of(number_in(from, "seen")), std::nullopt};
  const auto before = placed_in(from, "from", "from_release", slot_names);
  const auto after = placed_in(from, "to", "to_release", slot_names);
  if (before && after) made.newest = cutover{*before, *after, {}, wall_of(number_in(from, "cutover"))};
  return made;
}

std::string to_text(const latch& what) {
  return json::serialize(
      json::object{{"slot", what.slot}, {"release", what.release}, {"rule", what.rule}, {"shut", seconds_of(what.shut)}});
}

std::optional<latch> latch_from(const std::string& text) {
  const json::object from = object_of(text);
  if (string_in(from, "slot").empty()) return std::nullopt;
  return latch{string_in(from, "slot"), string_in(from, "release"), string_in(from, "rule"), wall_of(number_in(from, "shut"))};
}

std::string to_text(const hold& what) {
  return json::serialize(json::object{{"by", what.by}, {"reason", what.reason}, {"until", seconds_of(what.until)}});
}

std::optional<hold> hold_from(const std::string& text) {
  const json::object from = object_of(text);
  if (string_in(from, "by").empty()) return std::nullopt;
  return hold{string_in(from, "by"), string_in(from, "reason"), wall_of(number_in(from, "until"))};
}

std::string to_text(const attempt& what) {
  return json::serialize(json::object{{"to", what.to_slot},
                                      {"to_release", what.to_release},
                                      {"failed", what.failed_slot},
                                      {"failed_release", what.failed_release},
                                      {"rule", what.rule},
                                      {"begun", seconds_of(what.begun)},
                                      {"why", what.why},
                                      {"blame", what.blame}});
}

std::optional<attempt> attempt_from(const std::string& text) {
  const json::object from = object_of(text);
  if (string_in(from, "to").empty()) return std::nullopt;
  return attempt{string_in(from, "to"),   string_in(from, "to_release"),     string_in(from, "failed"), string_in(from, "failed_release"),
                 string_in(from, "rule"), wall_of(number_in(from, "begun")), string_in(from, "why"),    string_in(from, "blame")};
}

}  // namespace flipback::deployment
