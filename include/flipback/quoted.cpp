#include "flipback/quoted.hpp"

#include "flipback/discretion.hpp"
#include "flipback/one_line.hpp"
#include "flipback/utf8.hpp"

#include <algorithm>

namespace flipback {

std::string quoted(std::string_view theirs, std::span<const secret> without, std::size_t most) {
  constexpr std::size_t looked_at = 16 * 1024;
  const std::string text = discretion(without).without(theirs.substr(0, looked_at));
  std::string made;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t size = utf8_character_size(rest);
    std::string_view next = rest.substr(0, size);
    if (size == 0)
      next = "\uFFFD";
    else if (next == " " || is_control(next))
      next = made.empty() || made.ends_with(' ') ? "" : " ";
    if (made.size() + next.size() > most) {
      made += "…";
      break;
    }
    made += next;
    rest.remove_prefix(size == 0 ? 1 : size);
  }
  while (made.ends_with(' ')) made.pop_back();
  return made;
}

std::string in_quotes(std::string_view theirs, std::span<const secret> without, std::size_t most) {
  const std::string text = quoted(theirs, without, most);
  return text.empty() ? "nothing" : "\"" + text + "\"";
}

void hide_sent(std::vector<secret>& hidden, std::string_view sent) {
  constexpr std::string_view between = " \t\r\n\"'{}[]()<>:;,=&";
  constexpr std::size_t shortest = 6;
  const std::size_t whole = sent.size();
  if (whole >= shortest) hidden.emplace_back(std::string(sent));
  while (!sent.empty()) {
    const std::string_view word = sent.substr(0, sent.find_first_of(between));
    if (word.size() >= shortest && word.size() < whole) hidden.emplace_back(std::string(word));
    sent.remove_prefix(std::min(word.size() + 1, sent.size()));
  }
}

}  // namespace flipback
