#include "rules/language/lexer.hpp"

#include "rules/language/foreign.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>

namespace flipback::rules {

namespace {

constexpr std::array<std::string_view, 13> words{"and",      "or",    "not", "over",   "min",    "max",  "avg",
                                                 "increase", "count", "sum", "before", "surely", "worse"};
constexpr std::array<std::string_view, 4> pairs{">=", "<=", "==", "!="};
constexpr std::string_view singles = "><+-*/(),";

bool is_letter(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_';
}
bool is_digit(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) != 0;
}
bool is_name_part(char c) {
  return is_letter(c) || is_digit(c) || c == '.' || c == '-';
}

std::size_t name_length(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size() && is_name_part(text[length])) ++length;
  while (length > 0 && (text[length - 1] == '-' || text[length - 1] == '.')) --length;
  return length;
}

/// "5%", "1000ms", "1m30s", "2GiB", "1e3".
std::expected<token, language_error> take_number(std::string_view text, std::size_t column) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return std::unexpected(language_error{column, "found a number that is too large"});
  auto length = static_cast<std::size_t>(end - text.data());
  if (text.substr(length).starts_with('%')) return token{token_kind::number, text.substr(0, length + 1), column, value / 100, unit::ratio};
  std::size_t whole = length;
  while (whole < text.size() && (is_letter(text[whole]) || is_digit(text[whole]) || text[whole] == '.')) ++whole;
  const std::string_view with_unit = text.substr(0, whole);
  if (whole == length) return token{token_kind::number, with_unit, column, value, unit::number};
  if (const auto span = parse_duration(with_unit)) return token{token_kind::number, with_unit, column, to_seconds(*span), unit::seconds};
  if (const auto size = parse_size(with_unit)) return token{token_kind::number, with_unit, column, static_cast<double>(*size), unit::bytes};
  return std::unexpected(
      language_error{column, fmt::format("found \"{}\", expected a number with a unit such as 5%, 1000ms, 2GiB or 30d", with_unit)});
}

/// A function of another language, whose own mistakes need not be told: "rate" of "rate(x[5m])".
std::optional<language_error> foreign_call(const std::vector<token>& so_far) {
  for (std::size_t i = 1; i < so_far.size(); ++i) {
    const token& name = so_far[i - 1];
    if (name.kind == token_kind::name && so_far[i].text == "(") return language_error{name.column, *foreign_word(name.text, true)};
  }
  return std::nullopt;
}

}  // namespace

std::expected<std::vector<token>, language_error> cut(std::string_view text) {
  std::vector<token> tokens;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    const std::string_view rest = text.substr(i);
    if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      ++i;
    } else if (is_digit(c) || (c == '.' && rest.size() > 1 && is_digit(rest[1]))) {
      auto number = take_number(rest, i);
      if (!number) return std::unexpected(std::move(number.error()));
      tokens.push_back(*number);
      i += number->text.size();
    } else if (is_letter(c)) {
      const std::string_view name = rest.substr(0, name_length(rest));
      const bool word = std::ranges::find(words, name) != words.end();
      tokens.push_back({word ? token_kind::word : token_kind::name, name, i, 0, unit::number});
      i += name.size();
    } else if (std::ranges::find(pairs, rest.substr(0, 2)) != pairs.end()) {
      tokens.push_back({token_kind::symbol, rest.substr(0, 2), i, 0, unit::number});
      i += 2;
    } else if (singles.contains(c) && !rest.starts_with("<>")) {
      tokens.push_back({token_kind::symbol, rest.substr(0, 1), i, 0, unit::number});
      ++i;
    } else if (auto called = foreign_call(tokens)) {
      return std::unexpected(*std::move(called));
    } else if (auto meant = foreign(rest)) {
      return std::unexpected(language_error{i, *std::move(meant)});
    } else {
      return std::unexpected(
          language_error{i, fmt::format("found the character '{}', which means nothing in a rule", first_character(rest))});
    }
  }
  tokens.push_back({token_kind::end, {}, text.size(), 0, unit::number});
  return tokens;
}

}  // namespace flipback::rules
