#include "probes/expectation.hpp"

#include "probes/net/api.hpp"
#include "probes/net/gzip.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <charconv>

namespace flipback {

namespace {

namespace json = boost::json;

/// "2xx", "200-299" or "200".
bool parse_status(std::string_view text, expectation& into) {
  if (text.size() == 3 && text.ends_with("xx") && text[0] >= '1' && text[0] <= '5') {
    into.status_low = static_cast<unsigned>(text[0] - '0') * 100;
    into.status_high = into.status_low + 99;
    return true;
  }
  const std::size_t dash = text.find('-');
  const auto number = [](std::string_view part, unsigned& n) {
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), n);
    return error == std::errc{} && end == part.data() + part.size() && n >= 100 && n <= 599;
  };
  if (!number(text.substr(0, dash), into.status_low)) return false;
  into.status_high = into.status_low;
  return dash == std::string_view::npos || (number(text.substr(dash + 1), into.status_high) && into.status_low <= into.status_high);
}

void read_status(settings::section& from, std::string_view key, const settings::node& found, expectation& into) {
  const auto* whole = std::get_if<std::int64_t>(&found.value);
  const auto* text = std::get_if<std::string>(&found.value);
  const std::string as_text = whole != nullptr ? fmt::format("{}", *whole) : text != nullptr ? *text : std::string{};
  if (!parse_status(as_text, into)) {
    from.report(key, fmt::format("found {}, expected a status from 100 to 599, \"2xx\" or \"200-204\"", settings::shown(found)));
  }
}

net::failure unmet_status(const expectation& expected, const net::http_answer& found, std::span<const secret> hidden) {
  const std::string wanted = expected.status_low == expected.status_high
                                 ? fmt::format("{}", expected.status_low)
                                 : fmt::format("{} to {}", expected.status_low, expected.status_high);
  net::failure made = net::unexpected(found, "", wanted, hidden);
  if (made.why == reason::limited) made.says += ": a rate limit says nothing about how well it is";
  // nginx's words for its own 495 and 496, both of which it answers as 400.
  if (found.status == 400 && found.certificate_demanded && found.body.contains("SSL certificate")) {
    made.why = reason::unauthorised;
    made.says += ": the server wants a client certificate, and got none or one that it does not accept (client_certificate, client_key)";
  }
  return made;
}

/// `/status is "sick", expected "healthy"`, of what is found under a name; null: nothing is.
std::optional<std::string> unmet_value(const expectation::stated& of, std::string_view named, const json::value* found,
                                       std::span<const secret> hidden) {
  const condition* unmet = first_unmet(of.conditions, found);
  if (unmet == nullptr) return std::nullopt;
  return fmt::format("{} is {}, expected {}", named, found == nullptr ? "not there" : shown(*found, hidden), to_string(*unmet));
}

std::optional<std::string> unmet_json(const expectation::stated& of, const json::value& in, std::span<const secret> hidden) {
  boost::system::error_code missing;
  return unmet_value(of, of.name, in.find_pointer(of.name, missing), hidden);
}

std::optional<std::string> unmet_header(const expectation::stated& of, const net::http_answer& in, std::span<const secret> hidden) {
  const std::string* value = in.header(of.name);
  const json::value text(value == nullptr ? std::string() : *value);
  return unmet_value(of, fmt::format("the header {}", of.name), value == nullptr ? nullptr : &text, hidden);
}

/// Of a body nothing is shown: it may be a page, and it may hold what is nobody's business.
std::optional<std::string> unmet_body(const expectation::stated& of, const net::http_answer& in) {
  const json::value text(in.body);
  const condition* unmet = first_unmet(of.conditions, &text);
  if (unmet == nullptr) return std::nullopt;
  return fmt::format("the body {} {}{}", unmet->is == condition::kind::lacks ? "contains" : "does not contain",
                     settings::shown(unmet->expected), net::is_gzip(in.body) ? fmt::format(": {}", net::says_gzip) : "");
}

}  // namespace

expectation read_expectation(settings::section& from, std::string_view key) {
  expectation read;
  const settings::node* found = from.raw(key);
  if (found == nullptr) return read;
  const auto* members = std::get_if<settings::table>(&found->value);
  if (members == nullptr) {
    read_status(from, key, *found, read);
    return read;
  }
  auto inner = from.inner(key);
  for (const auto& [name, member] : *members) {
    constexpr std::string_view header = "header:";
    if (name == "status") {
      inner->know(name);
      read_status(*inner, name, member.value.front(), read);
    } else if (name == "body") {
      read.rest.push_back({subject::body, name, read_conditions(*inner, name, subject::body)});
    } else if (name.starts_with('/')) {
      read.rest.push_back({subject::json, name, read_conditions(*inner, name, subject::json)});
    } else if (name.starts_with(header) && name.size() > header.size()) {
      read.rest.push_back({subject::header, name.substr(header.size()), read_conditions(*inner, name, subject::header)});
    } else {
      inner->report(name,
                    R"(is unknown here: expected status, body, a JSON pointer such as "/status" or a header such as "header:X-Release")");
    }
  }
  return read;
}

std::optional<net::failure> first_unmet(const expectation& expected, const net::http_answer& found, std::span<const secret> hidden) {
  if (!expected.allows(found.status)) return unmet_status(expected, found, hidden);
  std::optional<net::json_document> document;
  for (const expectation::stated& each : expected.rest) {
    if (each.of == subject::json && !document) {
      auto parsed = found.json();
      if (!parsed) return net::failure{parsed.error().why, fmt::format("answered {}, but {}", found.status, parsed.error().says)};
      document = std::move(*parsed);
    }
    std::optional<std::string> unmet;
    switch (each.of) {
      case subject::json:
        unmet = unmet_json(each, *document, hidden);
        break;
      case subject::header:
        unmet = unmet_header(each, found, hidden);
        break;
      case subject::body:
        unmet = unmet_body(each, found);
    }
    if (unmet) return net::failure{reason::expectation, std::move(*unmet)};
  }
  return std::nullopt;
}

}  // namespace flipback
