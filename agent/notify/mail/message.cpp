#include "agent/notify/mail/message.hpp"

#include "flipback/base64.hpp"
#include "flipback/one_line.hpp"
#include "flipback/utf8.hpp"

#include "agent/notify/targets/cut.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

namespace flipback::notify::mail {

namespace {

constexpr std::size_t most_on_a_line = 78;
constexpr std::size_t most_in_subject = 200;

bool is_printable(unsigned char c) {
  return c >= ' ' && c < 0x7f;
}

/// What an address may have without quotes (RFC 5321, 4.1.2), each side of its @.
bool is_address(std::string_view text) {
  constexpr std::string_view others = "!#$%&'*+-/=?^_`{|}~.";
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos || at == 0 || at + 1 == text.size() || text.size() > 254) return false;
  const auto fits = [&](unsigned char c) { return std::isalnum(c) != 0 || others.contains(static_cast<char>(c)); };
  const auto of_a_host = [](unsigned char c) { return std::isalnum(c) != 0 || c == '.' || c == '-'; };
  return std::ranges::all_of(text.substr(0, at), fits) && std::ranges::all_of(text.substr(at + 1), of_a_host);
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

/// One encoded word of at most 75 characters, of whole characters from the text's front.
std::string take_word(std::string_view& text) {
  constexpr std::size_t bytes_in_a_word = 45;  // in base64: 60, and 12 around them
  std::size_t size = 0;
  while (size < text.size()) {
    const std::size_t next = std::max<std::size_t>(utf8_character_size(text.substr(size)), 1);
    if (size + next > bytes_in_a_word) break;
    size += next;
  }
  const std::string word = fmt::format("=?utf-8?B?{}?=", to_base64(text.substr(0, size)));
  text.remove_prefix(size);
  return word;
}

/// A name in front of an address: as encoded words unless it is of letters, digits and blanks alone, so that none needs quotes.
std::string named(const mailbox& who, std::string_view header) {
  if (who.name.empty()) return who.address;
  const bool is_plain = std::ranges::all_of(who.name, [](unsigned char c) { return c < 0x80 && (std::isalnum(c) != 0 || c == ' '); });
  std::string name = who.name;
  if (!is_plain) {
    std::string_view rest = name;
    std::vector<std::string> words;
    while (!rest.empty()) words.push_back(take_word(rest));
    name = fmt::format("{}", fmt::join(words, "\r\n "));
  }
  const std::string_view before = header.size() + name.size() + who.address.size() + 6 > most_on_a_line ? "\r\n " : " ";
  return fmt::format("{}{}<{}>", name, before, who.address);
}

/// A matter's or a letter's id as the left side of a Message-ID: anything that may not stand there is a dot.
std::string id_text(std::string_view id, const mailbox& from) {
  std::string left(id);
  std::ranges::replace_if(left, [](unsigned char c) { return c >= 0x80 || (std::isalnum(c) == 0 && c != '-'); }, '.');
  while (left.contains("..")) left.replace(left.find(".."), 2, ".");
  return fmt::format("<flipback.{}{}>", left, from.address.substr(from.address.find('@')));
}

std::string body_of(const letter& what) {
  std::string text = whole_lines(what.title.empty() ? what.matter : what.title);
  text += "\n\n";
  line::about before = line::about::stands;
  for (const line& one : as_lines(what)) {
    // What happened is a block of its own below what is so.
    if (one.is == line::about::news && before != line::about::news) text += '\n';
    if (one.is == line::about::link) text += '\n';
    text += one.text() + "\n";
    before = one.is;
  }
  return text + fmt::format("\n-- \nFlipback, {}\n", what.id());
}

}  // namespace

std::optional<mailbox> mailbox_in(std::string_view text) {
  text = trimmed(text);
  const std::size_t begin = text.find('<');
  const bool is_named = begin != std::string_view::npos && text.ends_with('>');
  mailbox made;
  made.address = is_named ? text.substr(begin + 1, text.size() - begin - 2) : text;
  if (is_named) made.name = trimmed(text.substr(0, begin));
  const bool can_stand = first_malformed(made.name) == made.name.size() && one_line(made.name) == made.name && !made.name.contains('"');
  if (!is_address(made.address) || !can_stand) return std::nullopt;
  return made;
}

std::string encoded(std::string_view text, std::string_view header) {
  const bool fits = header.size() + 2 + text.size() <= most_on_a_line;
  if (fits && std::ranges::all_of(text, is_printable) && !text.contains("=?")) return std::string(text);
  const std::string whole = well_formed(text);
  std::string_view rest = whole;
  std::vector<std::string> words;
  while (!rest.empty()) words.push_back(take_word(rest));
  return fmt::format("{}", fmt::join(words, "\r\n "));
}

std::string quoted_printable(std::string_view text) {
  constexpr std::size_t most = 75;  // and one for the = at the end of a line that goes on
  std::string made;
  std::size_t column = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == '\n') {
      made += "\r\n";
      column = 0;
      continue;
    }
    const bool ends_line = i + 1 == text.size() || text[i + 1] == '\n';
    // A dot that begins a line, and "From ", are changed by some that carry mail.
    const bool is_plain = is_printable(c) && c != '=' && !(c == ' ' && ends_line) && !(column == 0 && (c == '.' || c == 'F'));
    const std::string next = is_plain ? std::string(1, static_cast<char>(c)) : fmt::format("={:02X}", c);
    if (column + next.size() > most) {
      made += "=\r\n";
      column = 0;
    }
    made += next;
    column += next.size();
  }
  return made;
}

std::string date_text(wall_time at) {
  return fmt::format("{:%a, %d %b %Y %H:%M:%S} +0000", fmt::gmtime(std::chrono::system_clock::to_time_t(at)));
}

std::string subject_of(const letter& what) {
  return cut(one_line(what.title.empty() ? what.matter : what.title), most_in_subject);
}

std::string message_of(const letter& what, const mailbox& from, const std::vector<mailbox>& to, const std::string& answers) {
  std::vector<std::string> receivers;
  for (const mailbox& one : to) receivers.push_back(named(one, "To"));
  const std::string matter = id_text(what.matter, from);
  std::string made;
  const auto add = [&](std::string_view name, std::string_view value) { made += fmt::format("{}: {}\r\n", name, value); };
  add("From", named(from, "From"));
  add("To", fmt::format("{}", fmt::join(receivers, ",\r\n ")));
  add("Subject", encoded(answers.empty() ? subject_of(what) : "Re: " + answers, "Subject"));
  add("Date", date_text(what.written));
  add("Message-ID", id_text(what.id(), from));
  // No mail has this id: whichever of a matter's mails arrives, those after it belong together.
  add("In-Reply-To", matter);
  add("References", matter);
  add("Auto-Submitted", "auto-generated");
  if (what.severity == severity::critical && what.at != stage::ended) add("Importance", "high");
  add("MIME-Version", "1.0");
  add("Content-Type", "text/plain; charset=utf-8");
  add("Content-Transfer-Encoding", "quoted-printable");
  return made + "\r\n" + quoted_printable(body_of(what));
}

}  // namespace flipback::notify::mail
