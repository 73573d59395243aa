#include "agent/rollback/switches/text_pieces.hpp"

#include "flipback/quoted.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace flipback::rollback {

namespace {

constexpr std::string_view blank = " \t\r\n";

bool is_one_of(char c, std::string_view set) {
  return set.find(c) != std::string_view::npos;
}

bool is_edge(char c) {
  return is_one_of(c, " \t\r\n;{}=/\"'");
}

/// One directive's words after another, as `ngx_conf_read_token` reads them.
class reader {
 public:
  /// Whether a comment begins with this byte.
  bool begins_comment(char c) {
    if (escaped_) {
      escaped_ = false;
      return false;
    }
    if (between_words_) return begin(c);
    if (c == '{' && after_dollar_) {
      after_dollar_ = false;
      return false;
    }
    after_dollar_ = c == '$';
    if (c == '\\') {
      escaped_ = true;
    } else if (quote_ != 0) {
      // After a closing quote only the word's end may come; whatever comes, a word may begin again.
      if (c == quote_) quote_ = 0, between_words_ = true;
    } else if (is_one_of(c, blank) || c == ';' || c == '{') {
      between_words_ = true;
    }
    return false;
  }

 private:
  bool begin(char c) {
    if (is_one_of(c, blank) || is_one_of(c, ";{}")) return false;
    if (c == '#') return true;
    between_words_ = false;
    escaped_ = c == '\\';
    after_dollar_ = c == '$';
    quote_ = is_one_of(c, "\"'") ? c : '\0';
    return false;
  }

  bool between_words_ = true;
  bool escaped_ = false;
  bool after_dollar_ = false;
  char quote_ = '\0';
};

/// Without comments, byte for byte in the place where it was: comments are blanks.
std::string without_comments(std::string_view bytes) {
  std::string left(bytes);
  for (const stretch& s : comments_of(bytes))
    std::fill(left.begin() + static_cast<std::ptrdiff_t>(s.from), left.begin() + static_cast<std::ptrdiff_t>(s.to), ' ');
  return left;
}

std::string without_blanks(std::string_view text) {
  std::string left(text);
  std::erase_if(left, [](char c) { return is_one_of(c, blank); });
  return left;
}

/// A line for people, blank for blank: that may be all in which it differs.
std::string shown(std::string_view line) {
  constexpr std::size_t longest = 120;
  std::string made;
  for (const char c : line.substr(0, longest)) made += c == '\t' ? "\\t" : std::string(1, static_cast<unsigned char>(c) < ' ' ? '?' : c);
  return line.size() > longest ? made + "…" : made;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (std::size_t at = 0; (at = text.find_first_not_of(" \t\r\n;{}", at)) != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_of(" \t\r\n;{}", at), text.size());
    words.emplace_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

bool stands_alone(std::string_view piece, std::string_view bytes, std::size_t at) {
  const std::size_t after = at + piece.size();
  const bool before_ok = at == 0 || is_edge(bytes[at - 1]) || is_one_of(piece.front(), " \t\r\n;}");
  const bool after_ok = after == bytes.size() || is_edge(bytes[after]) || is_one_of(piece.back(), " \t\r\n;{}");
  return before_ok && after_ok;
}

std::vector<std::size_t> found(std::string_view piece, std::string_view bytes, std::span<const stretch> comments) {
  std::vector<std::size_t> places;
  for (std::size_t at = bytes.find(piece); !piece.empty() && at != std::string_view::npos;) {
    const auto in = std::ranges::find_if(comments, [&](const stretch& s) { return s.from < at + piece.size() && at < s.to; });
    const bool occurs = in == comments.end() && stands_alone(piece, bytes, at);
    if (occurs) places.push_back(at);
    at = bytes.find(piece, at + (occurs ? piece.size() : 1));
  }
  return places;
}

}  // namespace

std::vector<stretch> comments_of(std::string_view bytes) {
  std::vector<stretch> all;
  reader words;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    if (!words.begins_comment(bytes[at])) continue;
    const std::size_t end = std::min(bytes.find('\n', at), bytes.size());
    all.push_back({.from = at, .to = end});
    at = end;
  }
  return all;
}

std::vector<std::size_t> occurrences_of(std::string_view piece, std::string_view bytes) {
  return found(piece, bytes, comments_of(bytes));
}

bool says_nothing(std::string_view bytes) {
  return without_blanks(without_comments(bytes)).empty();
}

std::optional<near_line> nearest_line(std::string_view piece, std::string_view bytes) {
  const std::string text = without_comments(bytes);
  const std::vector<std::string> wanted = words_of(piece);
  std::optional<near_line> nearest;
  std::size_t number = 0;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = std::min(text.find('\n', from), text.size());
    const std::string_view line = std::string_view(text).substr(from, end - from);
    ++number;
    from = end + 1;
    const std::vector<std::string> words = words_of(line);
    auto alike = static_cast<std::size_t>(
        std::ranges::count_if(wanted, [&](const std::string& w) { return std::ranges::find(words, w) != words.end(); }));
    if (without_blanks(line).contains(without_blanks(piece))) alike = wanted.size() + 1;
    if (alike == 0 || (nearest && nearest->alike >= alike)) continue;
    const std::size_t begin = line.find_first_not_of(blank);
    nearest = near_line{number, shown(line.substr(begin, line.find_last_not_of(blank) + 1 - begin)), alike};
  }
  return nearest;
}

std::vector<std::size_t> lines_of(std::span<const std::size_t> places, std::string_view bytes) {
  std::vector<std::size_t> lines;
  for (const std::size_t at : places) lines.push_back(1 + static_cast<std::size_t>(std::ranges::count(bytes.substr(0, at), '\n')));
  return lines;
}

std::expected<std::string, std::string> replaced(std::string_view bytes, std::span<const replacement> pieces) {
  struct place {
    std::size_t at;
    const replacement* is;
  };
  const std::vector<stretch> comments = comments_of(bytes);
  std::vector<place> places;
  for (const replacement& p : pieces) {
    for (const std::size_t at : found(p.from, bytes, comments)) places.push_back({.at = at, .is = &p});
  }
  std::ranges::sort(places, {}, &place::at);
  std::string made;
  std::size_t from = 0;
  for (const place& p : places) {
    if (p.at < from)
      return std::unexpected(
          fmt::format("\"{}\" overlaps another piece there, so they can't be replaced one for one", flipback::quoted(p.is->from)));
    made.append(bytes.substr(from, p.at - from)).append(p.is->to);
    from = p.at + p.is->from.size();
  }
  return made.append(bytes.substr(from));
}

std::vector<std::string> problems_with(std::span<const pieces_of_slot> slots) {
  std::vector<std::string> problems;
  struct owned {
    const std::string* slot;
    const std::string* piece;
  };
  std::vector<owned> all;
  for (const pieces_of_slot& s : slots) {
    if (s.pieces.empty()) problems.push_back(fmt::format("slot {} has no pieces of text: write text = [\"...\"]", s.slot));
    if (s.pieces.size() != slots.front().pieces.size())
      problems.push_back(fmt::format("slot {} has {} pieces of text and slot {} has {}: each piece needs one that takes its place",
                                     slots.front().slot, slots.front().pieces.size(), s.slot, s.pieces.size()));
    for (const std::string& p : s.pieces) {
      if (p.find_first_not_of(blank) == std::string::npos)
        problems.push_back(fmt::format("a piece of text of slot {} is empty: write what the live file says", s.slot));
      else
        all.push_back({.slot = &s.slot, .piece = &p});
    }
  }
  for (const owned& a : all) {
    for (const owned& b : all) {
      if (&a == &b || (*a.piece == *b.piece && &a > &b)) continue;
      if (*a.piece == *b.piece)
        problems.push_back(fmt::format("the piece \"{}\" of slot {} is also one of slot {}: pieces must differ", flipback::quoted(*a.piece),
                                       *a.slot, *b.slot));
      else if (!found(*a.piece, *b.piece, {}).empty())
        problems.push_back(fmt::format("the piece \"{}\" of slot {} occurs within \"{}\" of slot {}: write longer pieces",
                                       flipback::quoted(*a.piece), *a.slot, flipback::quoted(*b.piece), *b.slot));
    }
  }
  return problems;
}

}  // namespace flipback::rollback
