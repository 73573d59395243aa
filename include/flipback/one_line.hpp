#pragma once

#include <string>
#include <string_view>

namespace flipback {

/// Whether a terminal would obey this character of well-formed UTF-8 rather than show it: a control (C0, DEL, C1), a mark that turns the
/// direction of writing, a line or paragraph separator; or what it shows nothing for, so that two texts look alike that are not (a soft
/// hyphen, a zero-width space, a byte order mark, a tag). The joiners that scripts and emoji need are none.
bool is_control(std::string_view character);

/// Text from outside, safe to print on one line: every control is written out ("\n", "\x1b", "\u202e"), and so is every byte that belongs
/// to no well-formed character ("\xff"). The rest stays as it is.
std::string one_line(std::string_view outside);

/// The same for text that was made of several lines: its line ends stay.
std::string whole_lines(std::string_view text);

/// JSON, in whose strings such characters may stand as they are, with each of them escaped: it means the same, and a terminal obeys nothing
/// of it.
std::string escaped_json(std::string_view json);

}  // namespace flipback
