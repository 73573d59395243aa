#include "flipback/base64.hpp"

#include <openssl/evp.h>

#include <algorithm>

namespace flipback {

std::optional<std::vector<unsigned char>> from_base64(std::string text) {
  while (text.ends_with('=')) text.pop_back();
  const std::size_t padding = (4 - text.size() % 4) % 4;
  if (padding == 3 || text.find_first_of("= \t\r\n") != std::string::npos) return std::nullopt;
  text.append(padding, '=');
  std::vector<unsigned char> made(text.size() / 4 * 3);
  const auto* const first = reinterpret_cast<const unsigned char*>(text.data());
  if (EVP_DecodeBlock(made.data(), first, static_cast<int>(text.size())) < 0) return std::nullopt;
  made.resize(made.size() - padding);
  return made;
}

std::optional<std::vector<unsigned char>> from_base64url(std::string text) {
  if (text.find_first_of("+/=") != std::string::npos) return std::nullopt;
  std::ranges::replace(text, '-', '+');
  std::ranges::replace(text, '_', '/');
  return from_base64(std::move(text));
}

std::string to_base64(std::string_view bytes) {
  std::string made((bytes.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL ends it with a zero
  const auto* const first = reinterpret_cast<const unsigned char*>(bytes.data());
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(made.data()), first, static_cast<int>(bytes.size()));
  made.resize(static_cast<std::size_t>(size));
  return made;
}

}  // namespace flipback
