#pragma once

#include "flipback/units.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>

/// What a condition's text says, as a tree (packaging/docs/rules.md: "The rules' language").
namespace flipback::rules {

enum class function : std::uint8_t { plain, over, min, max, avg, increase, count, sum };
enum class comparing : std::uint8_t { greater, greater_equal, less, less_equal, equal, unequal };
/// What counts may show beyond chance.
enum class showing : std::uint8_t { surely, worse };
enum class calculating : std::uint8_t { plus, minus, times, divided };

std::string_view name_of(comparing c);
std::string_view name_of(showing t);
std::string_view name_of(function f);  ///< "min"; empty for plain and over

struct expression;
using branch = std::unique_ptr<expression>;

struct number {
  double value = 0;
  unit in = unit::number;
};
/// A signal, plain or over a window, now or as it was at the newest cutover. `source` is what the compiler binds it to.
struct reading {
  std::string signal;
  function how = function::plain;
  duration window{};
  bool before = false;
  std::size_t source = 0;
};
struct calculation {
  calculating how;
  branch left, right;
};
struct comparison {
  comparing how;
  branch left, right;
};
/// A question to a ratio's counts: whether they are above a limit by more than chance, or worse than before the cutover.
struct counts_test {
  showing how;
  reading of;
  double limit = 0;           ///< of surely
  double confidence = 0.999;  ///< the same
};
struct junction {
  bool all;  ///< and; else or
  branch left, right;
};
struct inversion {
  branch of;
};

struct expression {
  std::variant<number, reading, calculation, comparison, counts_test, junction, inversion> is;
  std::size_t column = 0;  ///< of its first character in the text, from 0
};

}  // namespace flipback::rules
