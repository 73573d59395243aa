#include "probes/journey/step.hpp"

#include "flipback/quoted.hpp"

#include "probes/journey/payload.hpp"
#include "probes/net/http_settings.hpp"
#include "probes/net/json.hpp"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace flipback::journey {

namespace {

bool is_step_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-'; });
}

bool is_capture_name(std::string_view name) {
  return !name.empty() && std::isdigit(static_cast<unsigned char>(name.front())) == 0 &&
         std::ranges::all_of(name, [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

std::string read_name(settings::section& from, const std::vector<step>& before) {
  std::string name = from.required_text("name", "token");
  if (!name.empty() && !is_step_name(name))
    from.report("name", fmt::format("found {}, expected letters, digits, _ and -", from.shown("name")));
  if (std::ranges::find(before, name, &step::name) != before.end())
    from.report("name", fmt::format("found {}, which an earlier step is called", from.shown("name")));
  return name;
}

/// `path` after the journey's own address, or a `url` of the step's own, which gets neither the journey's host nor its certificate.
void read_place(settings::section& from, const net::http_request& base, step& into) {
  into.ask = base;
  const auto path = from.text("path");
  const auto url = from.text("url");
  if (path.has_value() == url.has_value()) return from.report_here("expected either a path or a url");
  if (path) {
    if (!path->starts_with('/')) from.report("path", fmt::format("found {}, expected a path that begins with /", from.shown("path")));
    if (std::ranges::any_of(*path, [](unsigned char c) { return c <= ' ' || c == 0x7f; }))
      from.report("path", fmt::format("found {}, which has a space or a control character in it", from.shown("path")));
    into.target = text_template::literal(base.to.target, goes_to::path);
    into.target.append(text_template(*path, goes_to::path));
    return;
  }
  auto parsed = net::parse_url(*url);
  if (!parsed) return from.report("url", fmt::format("found {}, which {}", from.shown("url"), parsed.error()));
  if (!net::same_place(base.to, *parsed)) {
    into.ask.host.clear();
    into.ask.tls.server_name.clear();
    into.ask.tls.client_certificate.clear();
    into.ask.tls.client_key.clear();
  }
  into.ask.to = std::move(*parsed);
  into.target = text_template(into.ask.to.target, goes_to::path);
}

void read_step_headers(settings::section& from, step& into, std::vector<secret>& hidden) {
  for (const net::read_header& h : net::read_headers(from)) {
    if (!net::is_public_header(h.name)) hide_sent(hidden, h.value.reveal());
    const std::string& value = h.value.reveal();
    into.headers.emplace_back(h.name, h.as_written ? text_template(value, goes_to::plain) : text_template::literal(value, goes_to::plain));
  }
}

void read_captures(settings::section& from, step& into) {
  const settings::node* found = from.raw("capture");
  auto inner = from.inner("capture");
  if (!inner) return;
  for (const auto& [name, unused] : std::get<settings::table>(found->value)) {
    if (!is_capture_name(name)) inner->report(name, "is no name for what is captured: expected letters, digits and _");
    into.captures.emplace_back(name, read_identity(*inner, name));
  }
}

/// A name that no earlier step captures is a mistake of the person's. Where it is like none of them it may as well be a part of a password.
void check_names(settings::section& from, const step& of, const std::vector<step>& before) {
  std::vector<std::string> known;
  for (const step& s : before) std::ranges::transform(s.captures, std::back_inserter(known), [](const auto& c) { return c.first; });
  const auto check = [&](std::string_view key, const text_template& text) {
    for (const std::string& name : text.names()) {
      if (std::ranges::find(known, name) != known.end()) continue;
      const std::string meant = settings::nearest(name, known);
      from.report(key, meant.empty() ? "takes a value in braces that no step before it captures; a brace as itself is {{"
                                     : fmt::format("takes {{{}}}, which no step before it captures; did you mean {{{}}}?", name, meant));
    }
  };
  check(from.has("path") ? "path" : "url", of.target);
  for (const auto& [name, value] : of.headers) check("headers", value);
  check(from.has("form") ? "form" : from.has("json") ? "json" : "body", of.body);
}

bool breaks_a_line(std::string_view text) {
  return std::ranges::any_of(text, [](unsigned char c) { return c < ' ' || c == 0x7f; });
}

}  // namespace

std::vector<step> read_steps(settings::section& from, const net::http_request& base, std::vector<secret>& hidden) {
  constexpr std::size_t most = 20;
  std::vector<step> all;
  for (settings::section& one : from.items("steps")) {
    step made;
    made.name = read_name(one, all);
    made.called = fmt::format("step {}", made.name);
    read_place(one, base, made);
    read_step_headers(one, made, hidden);
    payload sent = read_payload(one, hidden);
    made.body = std::move(sent.text);
    made.logs_in = sent.has_password;
    const bool has_type = std::ranges::any_of(made.headers, [](const auto& h) { return net::is_content_type(h.first); });
    if (!sent.type.empty() && !has_type) made.headers.emplace_back("Content-Type", text_template::literal(sent.type, goes_to::plain));
    made.ask.method =
        one.choice("method", made.body.empty() ? "GET" : "POST", {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"});
    made.expect = read_expectation(one, "expect");
    read_captures(one, made);
    check_names(one, made, all);
    one.finish();
    all.push_back(std::move(made));
  }
  const settings::node* written = from.raw("steps");
  const auto* list = written == nullptr ? nullptr : std::get_if<settings::array>(&written->value);
  if (written == nullptr || (list != nullptr && list->empty()))
    from.report_here(fmt::format("has no steps, expected [[{}.steps]]", from.path()));
  if (all.size() > most) from.report("steps", fmt::format("found {}, expected at most {}", all.size(), most));
  return all;
}

net::http_request request_of(const step& of, const captured& values) {
  net::http_request made = of.ask;
  made.to.target = of.target.filled(values);
  for (const auto& [name, value] : of.headers) made.headers.emplace_back(name, value.filled(values));
  made.body = of.body.filled(values);
  return made;
}

net::result<captured> taken_by(const step& of, const net::http_answer& answer) {
  const auto missing = [](std::string_view name, std::string_view where, std::string_view says) {
    return net::failure{reason::expectation, fmt::format("{} {}, where {} is captured", where, says, name)};
  };
  captured all;
  std::optional<net::json_document> document;
  for (const auto& [name, source] : of.captures) {
    const std::string where = source.pointer.empty() ? fmt::format("the header {}", source.header) : source.pointer;
    std::string value;
    if (source.pointer.empty()) {
      const std::string* found = answer.header(source.header);
      if (found == nullptr) return std::unexpected(missing(name, where, "is not there"));
      value = *found;
    } else {
      if (!document) {
        auto parsed = answer.json();
        if (!parsed) return std::unexpected(parsed.error());
        document = std::move(*parsed);
      }
      const net::json::value* found = net::value_at(*document, source.pointer);
      if (found == nullptr) return std::unexpected(missing(name, where, "is not there"));
      if (found->is_structured()) return std::unexpected(missing(name, where, "is an object or an array"));
      value = found->is_string() ? std::string(found->get_string()) : net::json::serialize(*found);
    }
    if (value.empty()) return std::unexpected(missing(name, where, "is empty"));
    if (breaks_a_line(value)) return std::unexpected(missing(name, where, "has a control character in it"));
    all.insert_or_assign(name, std::move(value));
  }
  return all;
}

}  // namespace flipback::journey
