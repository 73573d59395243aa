#include "probes/condition.hpp"

#include "flipback/quoted.hpp"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace flipback {

namespace {

namespace json = boost::json;
using kind = condition::kind;

struct word {
  std::string_view key;
  kind is;
  std::string_view says;  ///< before the value: "expected below 5"
};
constexpr std::array words{
    word{"not", kind::different, "anything else than "}, word{"above", kind::above, "above "},
    word{"at_least", kind::at_least, "at least "},       word{"below", kind::below, "below "},
    word{"at_most", kind::at_most, "at most "},          word{"contains", kind::contains, "it to contain "},
    word{"lacks", kind::lacks, "it not to contain "},    word{"present", kind::present, ""},
};

bool is_scalar(const settings::node& n) {
  return !std::holds_alternative<settings::array>(n.value) && !std::holds_alternative<settings::table>(n.value);
}

bool compares_numbers(kind is) {
  return is == kind::above || is == kind::at_least || is == kind::below || is == kind::at_most;
}

/// Reads the value of one word of a table; what does not fit is reported.
void read_word(settings::section& from, const word& w, subject of, std::vector<condition>& into) {
  const settings::node* found = from.raw(w.key);
  if (found == nullptr) return;
  const bool of_text = of != subject::json || w.is == kind::contains || w.is == kind::lacks;
  settings::node expected = *found;  // with its kind as it is meant: the environment gives text alone
  if (compares_numbers(w.is)) {
    const auto number = from.number(w.key);
    if (!number) return;
    if (!std::holds_alternative<std::int64_t>(expected.value)) expected.value = *number;
  } else if (w.is == kind::present) {
    const auto yes = from.boolean(w.key);
    if (!yes) return;
    expected.value = *yes;
  } else if (of_text ? !from.text(w.key) : !is_scalar(*found)) {
    if (!of_text) from.report(w.key, fmt::format("found {}, expected a string, a number or a boolean", settings::kind_of(*found)));
    return;
  }
  into.push_back({w.is, std::move(expected)});
}

std::optional<double> number_in(const settings::node& n) {
  if (const auto* whole = std::get_if<std::int64_t>(&n.value)) return static_cast<double>(*whole);
  if (const auto* number = std::get_if<double>(&n.value)) return *number;
  return std::nullopt;
}

/// Many services write numbers as text, and a header is nothing else.
std::optional<double> number_in(const json::value& v) {
  if (v.is_number()) return v.to_number<double>();
  if (!v.is_string()) return std::nullopt;
  const std::string_view text = v.get_string();
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

bool same(const json::value& found, const settings::node& expected) {
  if (const auto* text = std::get_if<std::string>(&expected.value)) return found.is_string() && found.get_string() == *text;
  if (const auto* yes = std::get_if<bool>(&expected.value)) return found.is_bool() && found.get_bool() == *yes;
  const auto number = number_in(expected);
  return number && found.is_number() && found.to_number<double>() == *number;
}

bool contains(const json::value& found, const settings::node& expected) {
  if (found.is_string()) return std::string_view(found.get_string()).contains(std::get<std::string>(expected.value));
  return found.is_array() && std::ranges::any_of(found.get_array(), [&](const json::value& v) { return same(v, expected); });
}

bool holds(const condition& c, const json::value* found) {
  const bool there = found != nullptr && !found->is_null();
  if (c.is == kind::present) return there == std::get<bool>(c.expected.value);
  if (!there) return false;
  if (compares_numbers(c.is)) {
    const auto number = number_in(*found);
    const double limit = *number_in(c.expected);
    if (!number) return false;
    return c.is == kind::above      ? *number > limit
           : c.is == kind::at_least ? *number >= limit
           : c.is == kind::below    ? *number < limit
                                    : *number <= limit;
  }
  switch (c.is) {
    case kind::different:
      return !same(*found, c.expected);
    case kind::contains:
      return contains(*found, c.expected);
    case kind::lacks:
      return !contains(*found, c.expected);
    default:
      return same(*found, c.expected);
  }
}

}  // namespace

std::vector<condition> read_conditions(settings::section& from, std::string_view key, subject of) {
  std::vector<condition> all;
  const settings::node* found = from.raw(key);
  if (found == nullptr) return all;
  if (std::holds_alternative<settings::table>(found->value)) {
    auto inner = from.inner(key);
    for (const word& w : words) {
      if (of != subject::body || w.is == kind::contains || w.is == kind::lacks) read_word(*inner, w, of, all);
    }
    inner->finish();
    if (std::get<settings::table>(found->value).empty()) from.report(key, "is empty, expected what must hold, such as { below = 5 }");
  } else if (of != subject::json ? from.text(key).has_value() : is_scalar(*found)) {
    all.push_back({of == subject::body ? kind::contains : kind::equal, *found});
  } else if (of == subject::json) {
    from.report(
        key, fmt::format("found {}, expected a string, a number, a boolean or a table such as {{ below = 5 }}", settings::kind_of(*found)));
  }
  return all;
}

const condition* first_unmet(std::span<const condition> all, const json::value* found) {
  const auto c = std::ranges::find_if(all, [&](const condition& each) { return !holds(each, found); });
  return c == all.end() ? nullptr : &*c;
}

std::string shown(const json::value& found, std::span<const secret> hidden) {
  constexpr std::size_t most = 80;
  if (found.is_object()) return "an object";
  if (found.is_array()) return fmt::format("an array of {}", found.get_array().size());
  if (found.is_string()) return fmt::format("\"{}\"", flipback::quoted(found.get_string(), hidden, most));
  return flipback::quoted(found.is_double() ? fmt::format("{}", found.get_double()) : json::serialize(found), hidden, most);
}

std::string to_string(const condition& c) {
  if (c.is == kind::present) return std::get<bool>(c.expected.value) ? "it to be there" : "it not to be there";
  const auto* const w = std::ranges::find(words, c.is, &word::is);
  return fmt::format("{}{}", w == words.end() ? "" : w->says, settings::shown(c.expected));
}

}  // namespace flipback
