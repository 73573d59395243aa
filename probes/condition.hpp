#pragma once

#include "flipback/secret.hpp"
#include "flipback/settings.hpp"

#include <boost/json/value.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flipback {

/// What a condition looks at: a value in a JSON document (numbers by value, everything else by kind and text), a header (text), or a body,
/// of which a person states only what it contains.
enum class subject : std::uint8_t { json, header, body };

/// One thing that must hold for what was found.
struct condition {
  enum class kind : std::uint8_t { equal, different, above, at_least, below, at_most, contains, lacks, present };
  kind is = kind::equal;
  settings::node expected;
  friend bool operator==(const condition&, const condition&) = default;
};

/// Reads what a person expects under `key`: a value (`"healthy"`, 3, true: what it must be; of a body, what it must contain), or a table of
/// conditions that must all hold: `{ at_least = 1, below = 5 }`, `{ not = "x" }`, `{ contains = "x", lacks = "y" }`, `{ present = true }`.
std::vector<condition> read_conditions(settings::section& from, std::string_view key, subject of);

/// The first condition that does not hold, or null. `found` is null where nothing was found.
const condition* first_unmet(std::span<const condition> all, const boost::json::value* found);

/// What was expected, after "expected": `"healthy"`, `below 5`, `it to contain "x"`.
std::string to_string(const condition& c);
/// What was found, short and fit for a message; of an object or an array only that it is one.
std::string shown(const boost::json::value& found, std::span<const secret> hidden);

}  // namespace flipback
