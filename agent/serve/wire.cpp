#include "agent/serve/wire.hpp"

#include "flipback/utf8.hpp"

#include <boost/json.hpp>

namespace flipback::serve {

namespace json = boost::json;

std::string line_of(const demand& what) {
  json::object object{{"verb", well_formed(what.verb)}, {"by", well_formed(what.by)}};
  for (const auto& [key, value] : what.values) object[key] = well_formed(value);
  return json::serialize(object) + "\n";
}

std::optional<demand> demand_in(const std::string& line) {
  boost::system::error_code error;
  const json::value read = json::parse(well_formed(line), error);
  const auto* object = error ? nullptr : read.if_object();
  if (object == nullptr) return std::nullopt;
  demand made;
  for (const auto& [key, value] : *object) {
    const auto* text = value.if_string();
    if (text == nullptr) return std::nullopt;
    if (key == "verb")
      made.verb = *text;
    else if (key == "by")
      made.by = *text;
    else
      made.values.emplace(key, std::string(*text));
  }
  return made;
}

std::string line_of(const reply& r) {
  return json::serialize(json::object{{"done", r.done}, {"text", r.text}, {"wrong", r.wrong}, {"no", r.is_no}}) + "\n";
}

std::optional<reply> reply_in(const std::string& line) {
  boost::system::error_code error;
  const json::value read = json::parse(line, error);
  const auto* object = error ? nullptr : read.if_object();
  const auto* done = object != nullptr ? object->if_contains("done") : nullptr;
  const auto* text = object != nullptr ? object->if_contains("text") : nullptr;
  if (done == nullptr || !done->is_bool() || text == nullptr || !text->is_string()) return std::nullopt;
  const auto is_true = [&](const char* key) {  // an agent of an earlier version does not say it
    const auto* is = object->if_contains(key);
    return is != nullptr && is->is_bool() && is->get_bool();
  };
  return reply{done->get_bool(), std::string(text->get_string()), is_true("wrong"), is_true("no")};
}

}  // namespace flipback::serve
