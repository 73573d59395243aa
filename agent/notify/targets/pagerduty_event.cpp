#include "agent/notify/targets/pagerduty_event.hpp"

#include "flipback/timestamp.hpp"

#include "agent/notify/targets/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace flipback::notify::pagerduty {

namespace json = boost::json;

namespace {

// PagerDuty's limits. It counts characters where we count bytes, so that ours are never beyond them.
constexpr std::size_t most_in_key = 255;
constexpr std::size_t most_in_summary = 1024;
constexpr std::size_t most_in_event = 512'000;
constexpr std::size_t most_in_text = 100'000;

std::string_view severity_of(const letter& what) {
  if (what.severity == severity::critical) return "critical";
  return what.severity == severity::warning ? "warning" : "info";
}

json::array links_of(const letter& what) {
  if (what.link.empty()) return {};
  return {json::object{{"href", what.link}, {"text", "what Flipback saw and did"}}};
}

/// A table in PagerDuty: what it shows of it, it shows in this order.
json::object details_of(const letter& what) {
  json::object made;
  const auto add = [&](std::string_view name, const std::string& says) {
    if (says.empty()) return;
    json::string& is = made.emplace(name, json::string()).first->value().get_string();
    if (!is.empty()) is += '\n';
    is += cut(says, most_in_text);
  };
  for (const line& one : as_lines(what)) {
    using enum line::about;
    switch (one.is) {
      case type:
        add("type", one.says);
        break;
      case ill:
        add("also ill", one.says);
        break;
      case news:
        add("what happened", one.text());
        break;
      case acknowledged:
        add("acknowledged", one.says);
        break;
      case link:
        break;
      default:
        add("how it stands", one.says);
    }
  }
  add("live slot", what.live);
  add("its release", what.release);
  return made;
}

json::object payload_of(const letter& what, const std::string& source) {
  return {{"summary", cut(what.title.empty() ? what.matter : what.title, most_in_summary)},
          {"source", source},
          {"timestamp", time_text(what.began)},
          {"custom_details", details_of(what)}};
}

/// Where the details are too long for PagerDuty, the first of them as a person reads them will do.
void shorten(json::object& event, const letter& what) {
  if (json::serialize(event).size() <= most_in_event) return;
  event["payload"].get_object()["custom_details"] = json::object{{"text", cut(as_text(what, false), most_in_text)}};
}

}  // namespace

std::vector<std::string_view> actions_for(const letter& what, bool is_first) {
  if (what.about == subject::trial) return {"trigger", "resolve"};
  if (what.at == stage::ended && is_first) return {"trigger", "resolve"};  // else nobody would hear of it
  if (what.at == stage::ended) return {"resolve"};
  if (what.acknowledged.empty()) return {"trigger"};
  if (is_first) return {"trigger", "acknowledge"};
  return {"acknowledge"};
}

json::object event_of(const letter& what, std::string_view action, const std::string& source) {
  json::object made{{"event_action", action}, {"dedup_key", cut("flipback-" + what.matter, most_in_key)}};
  if (action != "trigger") return made;
  json::object payload = payload_of(what, source);
  payload["severity"] = severity_of(what);
  payload["class"] = name_of(what.about);
  made["payload"] = std::move(payload);
  made["links"] = links_of(what);
  made["client"] = "Flipback";
  if (!what.link.empty()) made["client_url"] = what.link;
  shorten(made, what);
  return made;
}

json::object change_of(const letter& what, const std::string& source) {
  json::object made{{"payload", payload_of(what, source)}, {"links", links_of(what)}};
  shorten(made, what);
  return made;
}

}  // namespace flipback::notify::pagerduty
