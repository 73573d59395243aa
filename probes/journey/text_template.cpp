#include "probes/journey/text_template.hpp"

#include "flipback/percent.hpp"

#include "probes/net/url.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cctype>

namespace flipback::journey {

namespace {

/// Text that stands inside of a string in JSON (RFC 8259, section 7).
std::string escaped(std::string_view text) {
  const std::string whole = boost::json::serialize(text);
  return whole.substr(1, whole.size() - 2);
}

std::string written_to(goes_to place, std::string_view text) {
  switch (place) {
    case goes_to::form:
    case goes_to::path:
      return percent_encoded(text);
    case goes_to::json:
      return escaped(text);
    default:
      return std::string(text);
  }
}

/// The size of "{name}" at the text's beginning; 0: there is none.
std::size_t name_size(std::string_view text) {
  const std::size_t end = text.find('}');
  if (!text.starts_with('{') || end == std::string_view::npos || end == 1) return 0;
  const bool fits = std::ranges::all_of(text.substr(1, end - 1), [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
  return fits && std::isdigit(static_cast<unsigned char>(text[1])) == 0 ? end + 1 : 0;
}

}  // namespace

text_template::text_template(std::string_view written, goes_to place) {
  std::string text;
  const auto flush = [&] {
    if (!text.empty()) append(literal(text, place));
    text.clear();
  };
  while (!written.empty()) {
    const bool doubled = written.starts_with("{{");
    const std::size_t size = doubled ? 0 : name_size(written);
    if (size == 0) {
      text += written.front();
      written.remove_prefix(doubled ? 2 : 1);
      continue;
    }
    flush();
    parts_.push_back({std::string(written.substr(1, size - 2)), true, place});
    written.remove_prefix(size);
  }
  flush();
}

text_template text_template::literal(std::string_view text, goes_to place) {
  text_template made;
  const goes_to how = place == goes_to::path ? goes_to::plain : place;  // a path is written as it is to be sent
  if (!text.empty()) made.parts_.push_back({written_to(how, text), false, place});
  return made;
}

void text_template::append(const text_template& more) {
  parts_.insert(parts_.end(), more.parts_.begin(), more.parts_.end());
}

std::string text_template::filled(const captured& values) const {
  std::string made;
  for (const part& p : parts_) {
    if (!p.is_name)
      made += p.text;
    else if (const auto value = values.find(p.text); value != values.end())
      made += written_to(p.place, value->second);
  }
  return made;
}

std::vector<std::string> text_template::names() const {
  std::vector<std::string> all;
  for (const part& p : parts_) {
    if (p.is_name) all.push_back(p.text);
  }
  return all;
}

}  // namespace flipback::journey
