#include "probes/expectation.hpp"

#include "probes/net/api.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <charconv>

namespace flipback {

namespace {

namespace json = boost::json;

/// Whether a JSON value is the one that a person wrote in TOML: numbers by value, everything else by kind and text.
bool same(const json::value& found, const settings::node& expected) {
  if (const auto* text = std::get_if<std::string>(&expected.value)) return found.is_string() && found.get_string() == *text;
  if (const auto* yes = std::get_if<bool>(&expected.value)) return found.is_bool() && found.get_bool() == *yes;
  if (const auto* whole = std::get_if<std::int64_t>(&expected.value)) {
    return found.is_number() && found.to_number<double>() == static_cast<double>(*whole);
  }
  if (const auto* number = std::get_if<double>(&expected.value)) return found.is_number() && found.to_number<double>() == *number;
  return false;
}

std::string shortened(std::string text) {
  constexpr std::size_t most = 80;
  if (text.size() > most) text = text.substr(0, most) + "…";
  return text;
}

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
    const settings::node& value = member.value.front();
    if (name == "status") {
      inner->know(name);
      read_status(*inner, name, value, read);
    } else if (name.starts_with('/')) {
      inner->know(name);
      if (std::holds_alternative<settings::array>(value.value) || std::holds_alternative<settings::table>(value.value)) {
        inner->report(name, fmt::format("found {}, expected a string, a number or a boolean", settings::kind_of(value)));
      }
      read.json.emplace(name, value);
    } else {
      inner->know(name);
      inner->report(name, R"(is unknown here: expected status, or a JSON pointer such as "/status")");
    }
  }
  return read;
}

std::optional<unmet> first_unmet(const expectation& expected, unsigned status, std::string_view body) {
  if (status < expected.status_low || status > expected.status_high) {
    const std::string wanted = expected.status_low == expected.status_high
                                   ? fmt::format("{}", expected.status_low)
                                   : fmt::format("{} to {}", expected.status_low, expected.status_high);
    return unmet{net::reason_of_status(status), fmt::format("answered {}, expected {}", status, wanted)};
  }
  if (expected.json.empty()) return std::nullopt;
  const auto document = net::parse_json(body);
  if (!document) return unmet{document.error().why, fmt::format("answered {}, but {}", status, document.error().says)};
  for (const auto& [pointer, value] : expected.json) {
    boost::system::error_code missing;
    const json::value* found = document->find_pointer(pointer, missing);
    if (found == nullptr) return unmet{reason::expectation, fmt::format("{} is not there, expected {}", pointer, settings::shown(value))};
    if (!same(*found, value)) {
      return unmet{reason::expectation,
                   fmt::format("{} is {}, expected {}", pointer, shortened(json::serialize(*found)), settings::shown(value))};
    }
  }
  return std::nullopt;
}

}  // namespace flipback
