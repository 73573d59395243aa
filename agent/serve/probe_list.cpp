#include "agent/serve/probe_list.hpp"

#include "agent/event_lines.hpp"
#include "agent/serve/on_the_wall.hpp"

#include <boost/json.hpp>

namespace flipback::serve {

namespace json = boost::json;

namespace {

json::object as_object(const watched& w) {
  json::object one{{"probe", w.entry->name}, {"type", w.entry->type}};
  if (!w.newest) {
    one["is"] = name_of(outcome::unknown);
    one["says"] = w.entry->in_agent ? "has not run yet" : "runs with --check alone";
    one["at"] = nullptr;
    one["seconds"] = nullptr;
    return one;
  }
  one["is"] = name_of(w.newest->result);
  one["says"] = w.newest->says;
  one["at"] = time_text(on_the_wall(w.at));
  one["seconds"] = to_seconds(w.newest->latency);
  return one;
}

}  // namespace

json::object probes_as_object(const std::vector<watched>& all) {
  json::array list;
  for (const watched& w : all) list.push_back(as_object(w));
  return {{"probes", std::move(list)}};
}

}  // namespace flipback::serve
