#pragma once

#include "flipback/units.hpp"

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace flipback::rules {

/// What is wrong with a condition's text, and where: columns count from 0.
struct language_error {
  std::size_t column = 0;
  std::string says;
};

enum class token_kind : std::uint8_t { number, name, word, symbol, end };

struct token {
  token_kind kind = token_kind::end;
  std::string_view text;
  std::size_t column = 0;
  double value = 0;        ///< of a number, in the base unit
  unit in = unit::number;  ///< of a number
};

/// Cuts a text into tokens; the last is `end`. Words are `and or not over min max avg increase count sum before surely worse`; every other
/// name is a signal's. A - between two characters of a name belongs to the name: write spaces around a minus.
std::expected<std::vector<token>, language_error> cut(std::string_view text);

}  // namespace flipback::rules
