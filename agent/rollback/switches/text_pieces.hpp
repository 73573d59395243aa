#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Pieces of nginx configuration in the bytes of a file, and putting others in their place. Pure.
namespace flipback::rollback {

/// Where comments stand, `#` to the end of the line: nginx's own reading, to which a `#` within a word or within quotes begins none.
struct stretch {
  std::size_t from = 0;
  std::size_t to = 0;  ///< one past
};
std::vector<stretch> comments_of(std::string_view bytes);

/// Where the piece occurs outside comments: between white space, `;`, `{`, `}`, `=`, `/`, a quote or the file's ends. A piece that itself
/// ends in white space, `;`, `{` or `}`, or begins with white space, `;` or `}`, needs no more on that side: nothing longer can be meant
/// there.
std::vector<std::size_t> occurrences_of(std::string_view piece, std::string_view bytes);

/// Whether there is nothing but blanks and comments.
bool says_nothing(std::string_view bytes);

/// A line that a person may have meant by the piece: what it says but for its blanks, else the one with most of the piece's words.
struct near_line {
  std::size_t number = 0;  ///< from 1
  std::string says;        ///< for people: without the blanks around it, a tab as \t
  std::size_t alike = 0;   ///< how many words; the more the nearer
};
/// Nothing where no line outside comments has a word of it.
std::optional<near_line> nearest_line(std::string_view piece, std::string_view bytes);

/// Line numbers, from 1, of these places.
std::vector<std::size_t> lines_of(std::span<const std::size_t> places, std::string_view bytes);

struct replacement {
  std::string from;
  std::string to;
};
/// Every occurrence of each `from` becomes its `to`, in one pass; everything else stays byte for byte. An error: two occurrences overlap.
std::expected<std::string, std::string> replaced(std::string_view bytes, std::span<const replacement> pieces);

/// A slot's name and its pieces.
struct pieces_of_slot {
  std::string slot;
  std::vector<std::string> pieces;
};
/// Why these can't tell slots apart or be put one for one: different counts, an empty or equal piece, one that occurs within another. A
/// sentence each.
std::vector<std::string> problems_with(std::span<const pieces_of_slot> slots);

}  // namespace flipback::rollback
