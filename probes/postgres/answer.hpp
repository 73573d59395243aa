#pragma once

#include "probes/findings.hpp"

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flipback::postgres {

/// What a statement gave: its columns by name, each value as text, nothing for NULL.
struct rows {
  std::vector<std::string> columns;
  std::vector<std::vector<std::optional<std::string>>> all;

  [[nodiscard]] std::optional<std::string> text(std::string_view column, std::size_t row = 0) const;
  /// A number, or a boolean as 1 and 0.
  [[nodiscard]] std::optional<double> number(std::string_view column, std::size_t row = 0) const;
};

/// The whole text as PostgreSQL writes a number or a boolean.
std::optional<double> number_in(std::string_view text);

/// Measures each of these whose name is a column of the first row, where that holds a number.
void measure(std::span<const measurement_declaration> declared, const rows& from, findings& into);

/// Why a statement was not carried out, with the server's SQLSTATE where it gave one.
struct refusal : net::failure {
  std::string state;
};

using answer = std::expected<rows, refusal>;

}  // namespace flipback::postgres
