#include "agent/serve/incidents.hpp"

#include "flipback/one_line.hpp"
#include "flipback/quoted.hpp"

#include "agent/event_lines.hpp"
#include "agent/incident/book.hpp"
#include "agent/incident/history_file.hpp"
#include "agent/incident/picture.hpp"
#include "agent/incident/report.hpp"
#include "agent/serve/typed_here.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <expected>
#include <iterator>
#include <vector>

namespace flipback::serve {

namespace json = boost::json;

namespace {

using incident::happening;

constexpr std::size_t most_logged = 500;  ///< lines of `log`

reply as_json(const json::object& page) {
  return {true, escaped_json(json::serialize(page)) + "\n"};
}

reply cant(const std::string& why) {
  return {false, one_line(why) + "\n"};
}

using found_of = std::expected<std::vector<happening>, std::string>;

/// With those that no disk has taken yet. What can't be read is no reason to hide what is known without it.
found_of with_unwritten(found_of found, const incident::record& all, auto&& is_meant) {
  std::vector<happening> waiting;
  std::ranges::copy_if(all.unwritten, std::back_inserter(waiting), is_meant);
  if (waiting.empty()) return found;
  if (!found) return waiting;
  std::ranges::move(waiting, std::back_inserter(*found));
  return found;
}

found_of marks_in(const incident::record& all) {
  return with_unwritten(incident::read_incident(all.file, std::nullopt), all,
                        [](const happening& h) { return h.what.kind == "incident.began" || h.what.kind == "incident.ended"; });
}

found_of events_of(const std::string& id, const incident::record& all) {
  return with_unwritten(incident::read_incident(all.file, id), all,
                        [&](const happening& h) { return incident::text_of(h.what, "incident") == id; });
}

reply log(const incident::record& all, bool in_json) {
  const auto found = with_unwritten(incident::read_operations(all.file, most_logged), all,
                                    [](const happening& h) { return incident::is_operation(h.what.kind); });
  if (!found) return cant(found.error());
  json::array lines;
  std::string text;
  for (const auto& [at, what] : *found) {
    if (in_json)
      lines.push_back(json::parse(json_line(what, at)));
    else
      text += text_line(what, at) + "\n";
  }
  if (in_json) return as_json({{"operations", std::move(lines)}});
  return {true, text.empty() ? "nothing is on record\n" : text};
}

/// The id that a person means: "last", or an id's beginning that is one's alone.
std::expected<std::string, std::string> id_meant(const std::vector<happening>& marks, const std::string& typed) {
  std::vector<std::string> ids;
  for (const happening& h : marks) {
    if (std::string id = incident::text_of(h.what, "incident"); std::ranges::find(ids, id) == ids.end()) ids.push_back(std::move(id));
  }
  if (ids.empty()) return std::unexpected("no incident is on record");
  if (typed == "last") return ids.back();
  std::vector<std::string> meant;
  std::ranges::copy_if(ids, std::back_inserter(meant), [&](const std::string& id) { return id.starts_with(typed); });
  if (meant.size() == 1) return meant.front();
  if (meant.empty()) return std::unexpected(fmt::format("found no incident {}; `flipback incidents` lists them", in_quotes(typed)));
  return std::unexpected(
      fmt::format("found {}, which {} incidents begin with: {}", in_quotes(typed), meant.size(), fmt::join(meant, ", ")));
}

/// What stands in JSON as a command alone has no backquotes by which it is found in a text.
json::object with_commands_typed_here(json::object page, const std::string& socket) {
  const auto type = [&](json::value& choice) {
    const std::string typed = typed_here(fmt::format("`{}`", choice.at("type").as_string().c_str()), socket);
    choice.as_object()["type"] = typed.substr(1, typed.size() - 2);
  };
  type(page["next"]);
  for (json::value& choice : page["otherwise"].as_array()) type(choice);
  return page;
}

}  // namespace

bool asks_what_happened(const demand& what) {
  return what.verb == "incidents" || what.verb == "log";
}

reply what_happened(const incident::record& record, const demand& what, const std::string& socket) {
  const bool in_json = what.values.contains("json");
  if (what.verb == "log") return log(record, in_json);
  const auto marks = marks_in(record);
  if (!marks) return cant(marks.error());
  const auto typed = what.values.find("incident");
  if (typed == what.values.end() && what.values.contains("svg"))
    return {false, "found --svg without an ID, expected which incident: `flipback incidents last --svg`\n", true};
  if (typed == what.values.end()) return in_json ? as_json(incident::list_as_object(*marks)) : reply{true, incident::list_of(*marks)};
  const auto id = id_meant(*marks, typed->second);
  if (!id) return {false, one_line(id.error()) + "\n", true};
  auto all = events_of(*id, record);
  if (!all) return cant(all.error());
  if (all->empty()) return cant(fmt::format("incident {} is no longer on record", *id));
  const incident::report r = incident::report_of(*std::move(all));
  if (in_json) return as_json(with_commands_typed_here(as_object(r), socket));
  if (what.values.contains("svg")) return {true, as_svg(r)};
  return {true, what.values.contains("markdown") ? as_markdown(r) : as_text(r)};
}

}  // namespace flipback::serve
