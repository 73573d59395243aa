#include "flipback/as_typed.hpp"

#include <string_view>

namespace flipback {

namespace {

constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+=:,./-";

std::string quoted_for_a_shell(const std::string& argument) {
  if (!argument.empty() && argument.find_first_not_of(plain) == std::string::npos) return argument;
  std::string made = "'";
  for (const char c : argument) made += c == '\'' ? std::string(R"('\'')") : std::string(1, c);
  return made + "'";
}

}  // namespace

std::string as_typed(std::span<const std::string> argv) {
  std::string made;
  for (const std::string& argument : argv) made += (made.empty() ? "" : " ") + quoted_for_a_shell(argument);
  return made;
}

}  // namespace flipback
