#pragma once

#include <cstdint>
#include <string_view>

namespace flipback::rules {

/// Kleene's three values: what can't be known is neither true nor false.
enum class truth : std::uint8_t { no, unknown, yes };

constexpr truth operator&&(truth a, truth b) {
  return a < b ? a : b;
}
constexpr truth operator||(truth a, truth b) {
  return a < b ? b : a;
}
constexpr truth operator!(truth a) {
  return a == truth::yes ? truth::no : a == truth::no ? truth::yes : truth::unknown;
}
constexpr truth truth_of(bool b) {
  return b ? truth::yes : truth::no;
}

}  // namespace flipback::rules
