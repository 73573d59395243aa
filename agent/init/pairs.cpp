#include "agent/init/pairs.hpp"

#include "agent/init/nginx_sites.hpp"

#include <algorithm>
#include <cctype>

namespace flipback::init {

namespace {

constexpr std::string_view blue = "blue";
constexpr std::string_view green = "green";

/// The last place at which it stands as a word of its own: "api-blue", "blue2", and not "bluetooth".
std::size_t last_word(std::string_view text, std::string_view word) {
  const auto is_letter = [&](std::size_t at) { return at < text.size() && std::isalpha(static_cast<unsigned char>(text[at])) != 0; };
  std::size_t at = text.rfind(word);
  while (at != std::string_view::npos && ((at > 0 && is_letter(at - 1)) || is_letter(at + word.size())))
    at = at == 0 ? std::string_view::npos : text.rfind(word, at - 1);
  return at;
}

/// With one address in the place of another, wherever it stands.
std::string with(std::string text, const std::string& address, const std::string& other) {
  for (std::size_t at = text.find(address); at != std::string::npos; at = text.find(address, at + other.size()))
    text.replace(at, address.size(), other);
  return text;
}

}  // namespace

std::string slot_in(std::string_view name) {
  const std::size_t b = last_word(name, blue);
  const std::size_t g = last_word(name, green);
  if (b == std::string_view::npos && g == std::string_view::npos) return {};
  const bool is_blue = g == std::string_view::npos || (b != std::string_view::npos && b > g);
  return std::string(is_blue ? blue : green);
}

std::optional<std::string> counterpart(std::string_view name) {
  const std::string is = slot_in(name);
  if (is.empty()) return std::nullopt;
  std::string made(name);
  return made.replace(last_word(name, is), is.size(), is == blue ? green : blue);
}

bool say_the_same(std::string_view one, std::string_view other) {
  const auto stripped = [](std::string_view text) { return text.substr(0, text.find_last_not_of("\r\n") + 1); };
  return stripped(one) == stripped(other);
}

bool share_any(const std::vector<std::string>& some, const std::vector<std::string>& others) {
  return std::ranges::find_first_of(some, others) != some.end();
}

const text_file* twin_by_address(const text_file& of, const std::vector<text_file>& among) {
  const std::vector<std::string> own = addresses_in(of.text, {});
  if (own.size() != 1) return nullptr;
  const text_file* found = nullptr;
  for (const text_file& other : among) {
    const std::vector<std::string> its = addresses_in(other.text, {});
    if (its.size() != 1 || its == own || !say_the_same(with(of.text, own.front(), its.front()), other.text)) continue;
    if (found != nullptr) return nullptr;
    found = &other;
  }
  return found;
}

}  // namespace flipback::init
