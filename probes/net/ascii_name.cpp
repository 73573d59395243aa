#include "probes/net/ascii_name.hpp"

#include "flipback/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

namespace flipback::net {

namespace {

using points = std::vector<char32_t>;

/// Letters that stay as they are: small ones, and those of scripts without capitals.
bool is_as_written(char32_t c) {
  constexpr std::array<std::pair<char32_t, char32_t>, 9> letters{{{0xdf, 0xf6},
                                                                  {0xf8, 0xff},
                                                                  {0x3ac, 0x3ce},
                                                                  {0x430, 0x45f},
                                                                  {0x5d0, 0x5ea},
                                                                  {0x3041, 0x3096},
                                                                  {0x30a1, 0x30fa},
                                                                  {0x4e00, 0x9fff},
                                                                  {0xac00, 0xd7a3}}};
  return std::ranges::any_of(letters, [c](const auto& range) { return c >= range.first && c <= range.second; });
}

/// The characters of a label; nothing where one of them can't stand in a name, or not as it is written.
std::optional<points> characters(std::string_view label) {
  points all;
  while (!label.empty()) {
    const std::size_t size = utf8_character_size(label);
    if (size == 0) return std::nullopt;
    char32_t c = static_cast<unsigned char>(label[0]) & (size == 1 ? 0x7fU : 0xffU >> (size + 1));
    for (std::size_t i = 1; i < size; ++i) c = (c << 6U) | (static_cast<unsigned char>(label[i]) & 0x3fU);
    const bool plain = c < 0x80 && (std::isalnum(static_cast<int>(c)) != 0 || c == '-' || c == '_');
    if (!plain && !is_as_written(c)) return std::nullopt;
    all.push_back(c < 0x80 ? static_cast<char32_t>(std::tolower(static_cast<int>(c))) : c);
    label.remove_prefix(size);
  }
  return all;
}

// RFC 3492, 5.
constexpr unsigned base = 36;
constexpr unsigned smallest = 1;
constexpr unsigned largest = 26;

unsigned adapted(unsigned delta, unsigned written, bool first) {
  delta = first ? delta / 700 : delta / 2;
  delta += delta / written;
  unsigned k = 0;
  for (; delta > (base - smallest) * largest / 2; k += base) delta /= base - smallest;
  return k + (base - smallest + 1) * delta / (delta + 38);
}

void put_number(unsigned number, unsigned bias, std::string& into) {
  const auto digit = [](unsigned d) { return static_cast<char>(d < 26 ? 'a' + d : '0' + d - 26); };
  for (unsigned k = base;; k += base) {
    const unsigned t = k <= bias ? smallest : std::min(k - bias, largest);
    if (number < t) break;
    into += digit(t + (number - t) % (base - t));
    number = (number - t) / (base - t);
  }
  into += digit(number);
}

/// A label's characters as RFC 3492, 6.3 writes them, without the "xn--" before.
std::string punycode(const points& of) {
  std::string made;
  for (const char32_t c : of)
    if (c < 0x80) made += static_cast<char>(c);
  const auto basic = static_cast<unsigned>(made.size());
  if (basic > 0) made += '-';
  char32_t next = 0x80;
  unsigned delta = 0;
  unsigned bias = 72;
  for (unsigned written = basic; written < of.size(); ++next, ++delta) {
    char32_t least = 0x10ffff;
    for (const char32_t c : of)
      if (c >= next) least = std::min(least, c);
    delta += static_cast<unsigned>(least - next) * (written + 1);
    next = least;
    for (const char32_t c : of) {
      if (c < next) ++delta;
      if (c != next) continue;
      put_number(delta, bias, made);
      bias = adapted(delta, written + 1, written == basic);
      delta = 0;
      ++written;
    }
  }
  return made;
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](unsigned char c) { return c < 0x80; });
}

}  // namespace

std::string ascii_name(std::string_view host) {
  constexpr std::size_t longest = 253;
  std::string made;
  for (std::string_view rest = host.substr(0, longest);;) {
    const std::size_t dot = rest.find('.');
    const auto label = characters(rest.substr(0, dot));
    if (!label) return {};
    const bool plain = is_ascii(rest.substr(0, dot));
    made += plain ? std::string(label->begin(), label->end()) : "xn--" + punycode(*label);
    if (dot == std::string_view::npos) return made;
    made += '.';
    rest.remove_prefix(dot + 1);
  }
}

std::optional<std::string> not_ascii(std::string_view host) {
  if (is_ascii(host)) return std::nullopt;
  const std::string form = ascii_name(host);
  return form.empty() ? "has a host with letters beyond ASCII: expected its ASCII form, which begins with xn-- (idn2 prints it)"
                      : fmt::format("has a host with letters beyond ASCII: expected its ASCII form, {}", form);
}

}  // namespace flipback::net
