#include "agent/notify/targets/body_template.hpp"

#include "flipback/settings.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/stream_parser.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace flipback::notify {

namespace json = boost::json;

namespace {

/// Follows JSON by its quotes alone, to know whether what comes next stands inside of a string.
class quotes {
 public:
  void read(char c) {
    if (escaped_)
      escaped_ = false;
    else if (c == '\\' && is_open_)
      escaped_ = true;
    else if (c == '"')
      is_open_ = !is_open_;
  }
  [[nodiscard]] bool is_open() const { return is_open_; }

 private:
  bool is_open_ = false;
  bool escaped_ = false;
};

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::string no_place(const std::string& name, const json::object& values) {
  std::vector<std::string> names;
  for (const auto& [key, value] : values) names.emplace_back(key);
  const std::string meant = settings::nearest(name, names);
  return meant.empty() ? fmt::format("{{{{{}}}}} is no place; they are {}", name, fmt::join(names, ", "))
                       : fmt::format("{{{{{}}}}} is no place; did you mean {{{{{}}}}}?", name, meant);
}

}  // namespace

void body_template::append(std::string_view text, std::size_t at) {
  if (!text.empty()) parts_.push_back({std::string(text), false, false, at});
}

std::string body_template::written_as(const part& p, const json::value& value) {
  const std::string whole = json::serialize(value);
  if (!p.in_string) return whole;
  return value.is_string() ? whole.substr(1, whole.size() - 2) : whole;
}

std::expected<body_template, body_template::problem> body_template::of(std::string_view written, const json::object& values) {
  body_template made;
  quotes inside;
  std::size_t text_begins = 0;
  for (std::size_t at = 0; at < written.size();) {
    if (!written.substr(at).starts_with("{{")) {
      inside.read(written[at++]);
      continue;
    }
    const std::size_t end = written.find("}}", at);
    const std::string name(trimmed(written.substr(at + 2, end == std::string_view::npos ? 0 : end - at - 2)));
    if (name.empty()) return std::unexpected(problem{at, "{{ begins a place, and no name and }} follow"});
    const json::value* value = values.if_contains(name);
    if (value == nullptr) return std::unexpected(problem{at, no_place(name, values)});
    if (inside.is_open() && value->is_array())
      return std::unexpected(problem{at, fmt::format("{{{{{}}}}} is a list, which can't stand inside of a string", name)});
    made.append(written.substr(text_begins, at - text_begins), text_begins);
    made.parts_.push_back({name, true, inside.is_open(), at});
    at = text_begins = end + 2;
  }
  made.append(written.substr(text_begins), text_begins);

  // What is no JSON is found by the parser, part by part, so that its place in the template is known.
  json::stream_parser parser;
  boost::system::error_code error;
  for (const part& p : made.parts_) {
    const std::string text = p.is_place ? written_as(p, values.at(p.text)) : p.text;
    const std::size_t read = parser.write_some(text, error);
    if (!error && read < text.size()) error = json::error::extra_data;
    const std::size_t within = p.is_place ? 0 : std::min(read, text.size());
    if (error) return std::unexpected(problem{p.at + within, fmt::format("is no JSON from here on: {}", error.message())});
  }
  parser.finish(error);
  if (error) return std::unexpected(problem{written.size(), "is no JSON: it is cut short"});
  return made;
}

std::string body_template::filled(const json::object& values) const {
  std::string made;
  for (const part& p : parts_) made += p.is_place ? written_as(p, values.at(p.text)) : p.text;
  return made;
}

}  // namespace flipback::notify
