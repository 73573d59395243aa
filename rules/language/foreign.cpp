#include "rules/language/foreign.hpp"

#include "flipback/quoted.hpp"
#include "flipback/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace flipback::rules {

namespace {

using pair = std::pair<std::string_view, std::string_view>;

constexpr std::array signs{
    pair{"&&", "and"},
    pair{"&", "and"},
    pair{"||", "or"},
    pair{"|", "or"},
    pair{"<>", "!="},
    pair{"=<", "<="},
    pair{"=>", ">="},
    pair{"=~", "=="},
    pair{"=", "== to compare"},
    pair{"!~", "!="},
    pair{"!", "not"},
    pair{"\u2265", ">="},
    pair{"\u2264", "<="},
    pair{"\u2260", "!="},
    pair{"\u00d7", "*"},
    pair{"\u00f7", "/"},
    pair{"\u2212", "-"},
    pair{"\u2013", "-"},
    pair{"\u2014", "-"},
    pair{"\u00a0", "a plain space"},
    pair{"\u202f", "a plain space"},
};
constexpr std::array quotes{std::string_view("\u201c"), std::string_view("\u201d"), std::string_view("\u2018"),
                            std::string_view("\u2019"), std::string_view("\u00ab"), std::string_view("\u00bb"),
                            std::string_view("\""),     std::string_view("'"),      std::string_view("`")};

/// PromQL's functions of a range, and what they are here.
constexpr std::array called{
    pair{"rate", "a counter over a window is its increase per second: counter over 5m"},
    pair{"irate", "a counter over a window is its increase per second: counter over 5m"},
    pair{"delta", "expected max(gauge over 5m) - min(gauge over 5m)"},
    pair{"avg_over_time", "expected avg(gauge over 5m)"},
    pair{"max_over_time", "expected max(gauge over 5m)"},
    pair{"min_over_time", "expected min(gauge over 5m)"},
    pair{"sum_over_time", "expected sum(gauge over 5m)"},
    pair{"count_over_time", "expected count(signal over 5m)"},
    pair{"histogram_quantile", "expected a quantile that a probe gives, such as traffic.p95 over 5m"},
    pair{"quantile_over_time", "expected a quantile that a probe gives, such as traffic.p95 over 5m"},
    pair{"absent", "expected a comparison: one with an absent value is unknown"},
    pair{"abs", "expected two comparisons, with or between them"},
};

std::string in_small_letters(std::string_view text) {
  std::string small(text);
  std::ranges::transform(small, small.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return small;
}

}  // namespace

std::optional<std::string> foreign(std::string_view text) {
  for (const auto& [theirs, ours] : signs) {
    if (text.starts_with(theirs)) return fmt::format("found {}, expected {}", quoted(theirs), ours);
  }
  if (std::ranges::any_of(quotes, [&](std::string_view q) { return text.starts_with(q); }))
    return fmt::format("found the quote {}, expected none: names and numbers stand as they are", first_character(text));
  if (text.starts_with('[')) return "found [, expected a window with over, as in traffic.error_rate over 5m";
  if (text.starts_with('{')) return "found {, expected a signal alone: signals have no labels";
  if (text.starts_with('%')) return "found % alone, expected it right after its number, as in 5%";
  return std::nullopt;
}

std::optional<std::string> foreign_word(std::string_view name, bool is_called) {
  const std::string small = in_small_letters(name);
  for (const std::string_view word : {"and", "or", "not", "over"}) {
    if (small == word && name != word) return fmt::format("found {}, expected {}, in small letters", name, word);
  }
  if (!is_called) return std::nullopt;
  for (const auto& [theirs, ours] : called) {
    if (small == theirs) return fmt::format("found {}(), which is not of this language; {}", name, ours);
  }
  return fmt::format("found {}(), expected one of min, max, avg, sum, count, increase, before, surely and worse", name);
}

std::string first_character(std::string_view text) {
  const std::size_t size = utf8_character_size(text);
  const auto first = static_cast<unsigned char>(text[0]);
  const bool is_control = first < 0x20 || first == 0x7f;
  return size > 0 && !is_control ? std::string(text.substr(0, size)) : fmt::format("\\x{:02x}", first);
}

}  // namespace flipback::rules
