#include "flipback/discretion.hpp"

#include "flipback/base64.hpp"
#include "flipback/one_line.hpp"
#include "flipback/utf8.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace flipback {

namespace {

constexpr std::string_view instead = "***";
constexpr std::string_view cut = "…";

/// A text that was decoded, and where in the original each byte of it, and its end, came from.
struct decoded {
  std::string text;
  std::vector<std::size_t> from;
};

/// What stands for a character in a text: how long it is, and the character.
struct written {
  std::size_t size = 0;
  std::string is;
};

std::string in_utf8(unsigned c) {
  std::string made;
  if (c < 0x80) {
    made += static_cast<char>(c);
  } else if (c < 0x800) {
    made += static_cast<char>(0xC0 | (c >> 6U));
    made += static_cast<char>(0x80 | (c & 0x3FU));
  } else {
    made += static_cast<char>(0xE0 | (c >> 12U));
    made += static_cast<char>(0x80 | ((c >> 6U) & 0x3FU));
    made += static_cast<char>(0x80 | (c & 0x3FU));
  }
  return made;
}

std::optional<unsigned> number_in(std::string_view digits, int base) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
  const bool whole = error == std::errc{} && end == digits.data() + digits.size() && !digits.empty();
  return whole ? std::optional(number) : std::nullopt;
}

/// As URLs and forms have it, and mail: "%2F", "+", "=2F".
std::optional<written> in_percent(std::string_view at) {
  if (at.starts_with('+')) return written{1, " "};
  if ((!at.starts_with('%') && !at.starts_with('=')) || at.size() < 3) return std::nullopt;
  const auto byte = number_in(at.substr(1, 2), 16);
  return byte ? std::optional(written{3, std::string(1, static_cast<char>(*byte))}) : std::nullopt;
}

/// As strings of JSON and of many a language have it: "\u0026", "\x26", "\046", "\/", "\n".
std::optional<written> after_backslash(std::string_view at) {
  constexpr std::array<std::pair<char, char>, 6> short_ones{{{'"', '"'}, {'\\', '\\'}, {'/', '/'}, {'n', '\n'}, {'r', '\r'}, {'t', '\t'}}};
  if (!at.starts_with('\\') || at.size() < 2) return std::nullopt;
  for (const auto& [letter, is] : short_ones) {
    if (at[1] == letter) return written{2, std::string(1, is)};
  }
  struct numbered {
    std::string_view begins;
    std::size_t digits;
    int base;
  };
  constexpr std::array<numbered, 3> numbers{{{"\\u", 4, 16}, {"\\x", 2, 16}, {"\\", 3, 8}}};
  for (const auto& [begins, digits, base] : numbers) {
    const std::size_t size = begins.size() + digits;
    if (!at.starts_with(begins) || at.size() < size) continue;
    const auto number = number_in(at.substr(begins.size(), digits), base);
    if (!number) continue;
    const bool is_byte = digits < 4 && *number <= 0xFF;
    return written{size, is_byte ? std::string(1, static_cast<char>(*number)) : in_utf8(*number)};
  }
  return std::nullopt;
}

/// As HTML and XML have it: "&amp;", "&#39;", "&#x2F;".
std::optional<written> as_entity(std::string_view at) {
  constexpr std::array<std::pair<std::string_view, char>, 5> named{
      {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}}};
  if (!at.starts_with('&')) return std::nullopt;
  for (const auto& [name, is] : named) {
    if (at.starts_with(name)) return written{name.size(), std::string(1, is)};
  }
  const std::size_t end = at.substr(0, 10).find(';');
  if (!at.starts_with("&#") || end == std::string_view::npos) return std::nullopt;
  const bool is_hexadecimal = at.size() > 2 && (at[2] == 'x' || at[2] == 'X');
  const std::size_t begin = is_hexadecimal ? 3 : 2;
  const auto number = end > begin ? number_in(at.substr(begin, end - begin), is_hexadecimal ? 16 : 10) : std::nullopt;
  return number && *number < 0x10000 ? std::optional(written{end + 1, in_utf8(*number)}) : std::nullopt;
}

/// What a reader does not see, between the letters of what he does.
std::optional<written> unseen(std::string_view at) {
  const std::size_t size = utf8_character_size(at);
  const std::string_view character = at.substr(0, size);
  const bool joins = character == "\u200C" || character == "\u200D";
  return size > 1 && (joins || is_control(character)) ? std::optional(written{size, ""}) : std::nullopt;
}

/// The text with each character for what it stands for.
decoded decode(const decoded& of) {
  decoded made;
  const std::string_view text = of.text;
  for (std::size_t i = 0; i < text.size();) {
    auto found = in_percent(text.substr(i));
    if (!found) found = after_backslash(text.substr(i));
    if (!found) found = as_entity(text.substr(i));
    if (!found) found = unseen(text.substr(i));
    if (!found) found = written{1, std::string(1, text[i])};
    made.text += found->is;
    made.from.insert(made.from.end(), found->is.size(), of.from[i]);
    i += found->size;
  }
  made.from.push_back(of.from.back());
  return made;
}

using range = std::pair<std::size_t, std::size_t>;

void find_whole(const decoded& in, std::string_view form, std::vector<range>& into) {
  for (std::size_t at = in.text.find(form); at != std::string::npos; at = in.text.find(form, at + form.size()))
    into.emplace_back(in.from[at], in.from[at + form.size()]);
}

/// Where a text that was cut may end: at the cut, or before a character whose writing ("%2F", "\u0026", "&#x2F;") was cut through.
std::vector<std::size_t> ends_before(std::string_view text, std::size_t at) {
  constexpr std::size_t longest_writing = 10;
  std::vector<std::size_t> ends{at};
  for (std::size_t back = 1; back <= std::min(longest_writing, at); ++back) {
    if (std::string_view("%\\&").contains(text[at - back])) ends.push_back(at - back);
  }
  return ends;
}

/// A secret's beginning before the mark of a cut.
void find_cut(const decoded& in, std::string_view form, std::vector<range>& into) {
  for (std::size_t at = in.text.find(cut); at != std::string::npos; at = in.text.find(cut, at + cut.size())) {
    for (const std::size_t end : ends_before(in.text, at)) {
      const std::string_view before(in.text.data(), end);
      for (std::size_t size = std::min(form.size() - 1, end); size >= discretion::shortest; --size) {
        if (!before.ends_with(form.substr(0, size))) continue;
        into.emplace_back(in.from[end - size], in.from[at]);
        break;
      }
    }
  }
}

/// A text's base64 after so many bytes of something else (0, 1 or 2): the part that no neighbour changes.
std::string in_base64(std::string_view text, std::size_t after) {
  std::string made = to_base64(std::string(after, '\0') + std::string(text));
  const std::size_t bits = (after + text.size()) * 8;
  made.resize(bits / 6);
  return made.substr(after == 0 ? 0 : after + 1);
}

/// Base64 with the alphabet that needs no escaping in a URL (RFC 4648, section 5).
std::string as_in_urls(std::string base64) {
  std::ranges::replace(base64, '+', '-');
  std::ranges::replace(base64, '/', '_');
  return base64;
}

}  // namespace

/// A form that itself can be decoded ("+", "%41", "&amp;") is in a text that was decoded what comes of it.
void discretion::add(std::string form) {
  if (form.size() < shortest || std::ranges::find(forms_, form) != forms_.end()) return;
  std::string read = decode({form, std::vector<std::size_t>(form.size() + 1)}).text;
  const auto before = std::ranges::find_if(forms_, [&](const std::string& f) { return f.size() < form.size(); });
  forms_.insert(before, std::move(form));
  add(std::move(read));
}

void discretion::keep(const secret& s) {
  const std::string& text = s.reveal();
  if (text.size() < shortest) return;
  constexpr std::size_t long_enough = 6;  // bytes: the base64 of less is a word of any text
  for (std::size_t after = 0; after < 3 && text.size() >= long_enough; ++after) {
    const std::string once = in_base64(text, after);
    for (std::size_t again = 0; again < 3; ++again) add(in_base64(once, again));
    add(once);
    add(as_in_urls(once));
  }
  if (text.size() >= long_enough) {
    const std::vector<unsigned char> bytes(text.begin(), text.end());
    add(fmt::format("{:02x}", fmt::join(bytes, "")));
    add(fmt::format("{:02X}", fmt::join(bytes, "")));
  }
  add(text);
}

/// Others write a text in so many ways, and once more over that, that no list of them ends: so what is written is decoded, and searched.
std::string discretion::without(std::string_view text) const {
  constexpr int most_times = 3;
  decoded now{std::string(text), {}};
  for (std::size_t i = 0; i <= text.size(); ++i) now.from.push_back(i);
  std::vector<range> found;
  for (int times = 0; times <= most_times && !forms_.empty(); ++times) {
    for (const std::string& form : forms_) {
      find_whole(now, form, found);
      find_cut(now, form, found);
    }
    decoded next = decode(now);
    if (next.text == now.text) break;
    now = std::move(next);
  }
  std::ranges::sort(found);
  std::string made;
  std::size_t taken = 0;
  for (const auto& [begin, end] : found) {
    if (end <= taken) continue;
    made += text.substr(taken, begin > taken ? begin - taken : 0);
    if (begin >= taken || made.empty()) made += instead;
    taken = end;
  }
  return made += text.substr(taken);
}

}  // namespace flipback
