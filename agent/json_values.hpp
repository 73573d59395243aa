#pragma once

#include "flipback/units.hpp"

#include <boost/json/value.hpp>

#include <cmath>
#include <optional>
#include <string_view>

/// Values as programs read them in JSON.
namespace flipback {

/// JSON has no word for what is not finite.
inline boost::json::value number_or_null(const std::optional<double>& of) {
  return of && std::isfinite(*of) ? boost::json::value(*of) : boost::json::value();
}

constexpr std::string_view word_of(unit u) {
  switch (u) {
    case unit::seconds:
      return "seconds";
    case unit::ratio:
      return "ratio";
    case unit::bytes:
      return "bytes";
    case unit::per_second:
      return "per_second";
    case unit::number:
      break;
  }
  return "number";
}

/// The unit that is written so; a plain number where none is.
constexpr unit unit_of(std::string_view word) {
  for (const unit u : {unit::seconds, unit::ratio, unit::bytes, unit::per_second}) {
    if (word_of(u) == word) return u;
  }
  return unit::number;
}

}  // namespace flipback
