#include "probes/journey/payload.hpp"

#include "flipback/percent.hpp"
#include "flipback/quoted.hpp"

#include "probes/net/http_settings.hpp"
#include "probes/net/url.hpp"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

namespace flipback::journey {

namespace {

constexpr std::array<std::string_view, 4> public_fields{"grant_type", "username", "scope", "client_id"};

bool is_public(std::string_view field) {
  return std::ranges::find(public_fields, field) != public_fields.end();
}

struct field {
  std::string name;
  const settings::node* written;
  bool from_file;
};

/// The fields of a table, each once, in the file's order; "password_file" is the field "password".
std::vector<field> fields_of(const settings::node& table) {
  std::vector<field> all;
  const auto& members = std::get<settings::table>(table.value);
  for (const auto& [key, member] : members) {
    const bool from_file = key.ends_with("_file");
    std::string name = from_file ? key.substr(0, key.size() - 5) : key;
    if (from_file && members.contains(name)) continue;  // reading the name reports that both are there
    all.push_back({std::move(name), &member.value.front(), from_file});
  }
  std::ranges::sort(all, {}, [](const field& f) { return f.written->order; });
  return all;
}

/// A field's text, or nothing where it is wrong, which is reported.
std::optional<text_template> text_of(settings::section& from, const field& of, goes_to place, std::vector<secret>& hidden) {
  const auto value = net::read_value(from, of.name, is_public(of.name) && !of.from_file);
  if (!value) return std::nullopt;
  if (!is_public(of.name)) {
    hidden.push_back(*value);
    hide_sent(hidden, value->reveal());
  }
  const bool as_written = !of.from_file && of.written->written.empty();
  return as_written ? text_template(value->reveal(), place) : text_template::literal(value->reveal(), place);
}

text_template form(settings::section& from, std::vector<secret>& hidden, bool& has_password) {
  text_template made;
  auto inner = from.inner("form");
  if (!inner) return made;
  for (const field& f : fields_of(*from.raw("form"))) {
    has_password = has_password || f.name == "password";
    auto text = text_of(*inner, f, goes_to::form, hidden);
    if (!text) continue;
    const std::string head = fmt::format("{}{}=", made.empty() ? "" : "&", percent_encoded(f.name));
    made.append(text_template::literal(head, goes_to::plain));
    made.append(*text);
  }
  inner->finish();
  return made;
}

text_template quoted_text(const text_template& inside) {
  text_template made = text_template::literal("\"", goes_to::plain);
  made.append(inside);
  made.append(text_template::literal("\"", goes_to::plain));
  return made;
}

text_template joined(std::string_view before, const std::vector<text_template>& all, std::string_view after) {
  text_template made = text_template::literal(before, goes_to::plain);
  for (const text_template& each : all) {
    if (&each != all.data()) made.append(text_template::literal(",", goes_to::plain));
    made.append(each);
  }
  made.append(text_template::literal(after, goes_to::plain));
  return made;
}

text_template member(std::string_view name, const text_template& value) {
  text_template made = quoted_text(text_template::literal(name, goes_to::json));
  made.append(text_template::literal(":", goes_to::plain));
  made.append(value);
  return made;
}

/// The JSON of a TOML value.
text_template json_of(const settings::node& of, std::vector<secret>& hidden) {
  namespace json = boost::json;
  std::vector<text_template> all;
  if (const auto* text = std::get_if<std::string>(&of.value)) {
    hide_sent(hidden, *text);
    return quoted_text(of.written.empty() ? text_template(*text, goes_to::json) : text_template::literal(*text, goes_to::json));
  }
  if (const auto* elements = std::get_if<settings::array>(&of.value)) {
    for (const settings::node& element : *elements) all.push_back(json_of(element, hidden));
    return joined("[", all, "]");
  }
  if (const auto* members = std::get_if<settings::table>(&of.value)) {
    for (const auto& [name, one] : *members) all.push_back(member(name, json_of(one.value.front(), hidden)));
    return joined("{", all, "}");
  }
  json::value scalar;
  if (const auto* whole = std::get_if<std::int64_t>(&of.value)) scalar = *whole;
  if (const auto* number = std::get_if<double>(&of.value)) scalar = *number;
  if (const auto* yes = std::get_if<bool>(&of.value)) scalar = *yes;
  return text_template::literal(json::serialize(scalar), goes_to::plain);
}

text_template object(settings::section& from, std::vector<secret>& hidden) {
  auto inner = from.inner("json");
  if (!inner) return {};
  std::vector<text_template> all;
  for (const field& f : fields_of(*from.raw("json"))) {
    if (!std::holds_alternative<std::string>(f.written->value)) {
      inner->know(f.name);
      all.push_back(member(f.name, json_of(*f.written, hidden)));
    } else if (const auto text = text_of(*inner, f, goes_to::json, hidden)) {
      all.push_back(member(f.name, quoted_text(*text)));
    }
  }
  inner->finish();
  return joined("{", all, "}");
}

}  // namespace

payload read_payload(settings::section& from, std::vector<secret>& hidden) {
  payload read;
  const int given = static_cast<int>(from.has("form")) + static_cast<int>(from.has("json")) + static_cast<int>(from.has("body"));
  if (given > 1) from.report_here("has more than one of form, json and body, expected one of them");
  if (from.has("form")) {
    read.text = form(from, hidden, read.has_password);
    read.type = "application/x-www-form-urlencoded";
  } else if (from.has("json")) {
    read.text = object(from, hidden);
    read.type = "application/json";
  } else if (const settings::node* body = from.raw("body")) {
    const std::string text = from.text("body", "");
    hide_sent(hidden, text);
    read.text = body->written.empty() ? text_template(text, goes_to::plain) : text_template::literal(text, goes_to::plain);
  }
  return read;
}

}  // namespace flipback::journey
