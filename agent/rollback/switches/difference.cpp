#include "agent/rollback/switches/difference.hpp"

#include "flipback/one_line.hpp"
#include "flipback/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <ranges>
#include <vector>

namespace flipback::rollback {

namespace {

constexpr std::size_t shown_of_a_line = 100;  ///< bytes, before what is not visible is written out
constexpr std::size_t shown_before = 30;      ///< of them before the first byte that differs

/// Without line ends, and without the newlines at the text's end.
std::vector<std::string_view> lines_of(std::string_view text) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line);
  }
  return lines;
}

std::size_t newlines_at_the_end(std::string_view text) {
  const std::size_t last = text.find_last_not_of("\r\n");
  return static_cast<std::size_t>(std::ranges::count(text.substr(last == std::string_view::npos ? 0 : last + 1), '\n'));
}

/// What nginx is told to send along may be nobody else's to read.
bool may_be_secret(std::string_view line) {
  constexpr std::array<std::string_view, 8> words{"authorization", "password", "passwd", "secret", "token", "api-key", "api_key", "cookie"};
  std::string lower(line);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::ranges::any_of(words, [&](std::string_view word) { return lower.contains(word); });
}

/// A character that begins before the place, and no part of one.
std::size_t character_at(std::string_view text, std::size_t place) {
  constexpr unsigned continues = 0x80;
  constexpr unsigned first_bits = 0xC0;
  place = std::min(place, text.size());
  while (place > 0 && place < text.size() && (static_cast<unsigned char>(text[place]) & first_bits) == continues) --place;
  return place;
}

std::string shown(std::string_view line, std::size_t from) {
  const std::size_t begin = from > shown_before && line.size() > shown_of_a_line ? character_at(line, from - shown_before) : 0;
  const std::size_t end = character_at(line, begin + shown_of_a_line);
  return fmt::format("\"{}{}{}\"", begin > 0 ? "…" : "", one_line(line.substr(begin, end - begin)), end < line.size() ? "…" : "");
}

std::string line_difference(std::size_t number, const std::string_view* found, const std::string_view* expected) {
  const auto secret = [](const std::string_view* line) { return line != nullptr && may_be_secret(*line); };
  if (secret(found) || secret(expected)) return fmt::format("line {} differs, and is not shown, since it may hold a secret", number);
  if (expected == nullptr) return fmt::format("line {} is {}, expected the end of the file", number, shown(*found, 0));
  if (found == nullptr) return fmt::format("it ends before line {}, expected {}", number, shown(*expected, 0));
  const auto from = static_cast<std::size_t>(std::ranges::mismatch(*found, *expected).in1 - found->begin());
  return fmt::format("line {} is {}, expected {}", number, shown(*found, from), shown(*expected, from));
}

}  // namespace

likeness likeness_of(std::string_view one, std::string_view other) {
  std::vector<std::string_view> a = lines_of(one);
  std::vector<std::string_view> b = lines_of(other);
  std::ranges::sort(a);
  std::ranges::sort(b);
  std::vector<std::string_view> common;
  std::ranges::set_intersection(a, b, std::back_inserter(common));
  const auto is_blank = [](std::string_view line) { return line.find_first_not_of(" \t") == std::string_view::npos; };
  return {.common = common.size() - static_cast<std::size_t>(std::ranges::count_if(common, is_blank)),
          .apart = a.size() + b.size() - 2 * common.size()};
}

std::string first_difference(std::string_view found, std::string_view expected) {
  if (found == expected) return {};
  const auto ours = lines_of(found);
  const auto theirs = lines_of(expected);
  const auto at = std::ranges::mismatch(ours, theirs);
  if (at.in1 != ours.end() || at.in2 != theirs.end())
    return line_difference(static_cast<std::size_t>(at.in1 - ours.begin()) + 1, at.in1 != ours.end() ? &*at.in1 : nullptr,
                           at.in2 != theirs.end() ? &*at.in2 : nullptr);
  const auto returns = [](std::string_view text) { return std::ranges::count(text, '\r'); };
  if (returns(found) != returns(expected)) {
    const auto kind = [&](std::string_view text) { return returns(text) == 0 ? "LF" : "CRLF"; };
    return returns(found) == 0 || returns(expected) == 0
               ? fmt::format("only its line ends differ: {}, expected {}", kind(found), kind(expected))
               : std::string("only some of its line ends differ (CRLF and LF)");
  }
  const std::size_t has = newlines_at_the_end(found);
  const std::size_t should = newlines_at_the_end(expected);
  if (has == should) return "only some of its line ends differ (CRLF and LF)";
  return has == 0 ? std::string("only the newline at its end is missing")
                  : fmt::format("only the newlines at its end differ: {}, expected {}", has, should);
}

}  // namespace flipback::rollback
