#pragma once

#include "agent/notify/letter.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Letters as mail (RFC 5322). Pure.
namespace flipback::notify::mail {

/// "Flipback <flipback@example.com>" or an address alone, taken apart. What it holds can stand in a header: no control and no line end.
struct mailbox {
  std::string name;     ///< may be empty
  std::string address;  ///< "flipback@example.com"
};
/// Nothing: it is none. A quoted name and comments are none; a name may be of any letters.
std::optional<mailbox> mailbox_in(std::string_view text);

/// Text for a header of this name, which the line will begin with: as it is where it is short printable ASCII, else as encoded words
/// (RFC 2047) on lines of at most 78 characters.
std::string encoded(std::string_view text, std::string_view header);
/// A body in quoted-printable (RFC 2045, 6.7), with CRLF at the ends of lines.
std::string quoted_printable(std::string_view text);
/// "Fri, 27 Nov 2026 09:04:13 +0000"
std::string date_text(wall_time at);

/// The subject that all mails of a matter have behind "Re: ": mail programs hold a matter together by it, too. At most 200 bytes.
std::string subject_of(const letter& what);
/// The whole mail, its headers first. `answers`: the subject of the first mail of this matter; empty: this is the first.
std::string message_of(const letter& what, const mailbox& from, const std::vector<mailbox>& to, const std::string& answers);

}  // namespace flipback::notify::mail
