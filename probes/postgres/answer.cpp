#include "probes/postgres/answer.hpp"

#include <algorithm>
#include <charconv>

namespace flipback::postgres {

std::optional<double> number_in(std::string_view text) {
  if (text == "t") return 1;
  if (text == "f") return 0;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::string> rows::text(std::string_view column, std::size_t row) const {
  const auto at = std::ranges::find(columns, column);
  if (at == columns.end() || row >= all.size()) return std::nullopt;
  return all[row][static_cast<std::size_t>(at - columns.begin())];
}

std::optional<double> rows::number(std::string_view column, std::size_t row) const {
  const auto found = text(column, row);
  return found ? number_in(*found) : std::nullopt;
}

void measure(std::span<const measurement_declaration> declared, const rows& from, findings& into) {
  for (const measurement_declaration& d : declared) {
    if (const auto value = from.number(d.name)) into.measure(d.name, *value);
  }
}

}  // namespace flipback::postgres
