#include "probes/s3/signature.hpp"

#include "flipback/percent.hpp"

#include "probes/net/url.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <span>

namespace flipback::s3 {

namespace {

using digest = std::array<unsigned char, 32>;

std::string hex(const digest& bytes) {
  return fmt::format("{:02x}", fmt::join(bytes, ""));
}

digest sha256(std::string_view text) {
  digest made{};
  if (EVP_Digest(text.data(), text.size(), made.data(), nullptr, EVP_sha256(), nullptr) != 1) throw std::bad_alloc();
  return made;
}

digest hmac(std::span<const unsigned char> key, std::string_view text) {
  digest made{};
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());  // NOLINT(*-reinterpret-cast): as OpenSSL takes text
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes, text.size(), made.data(), nullptr) == nullptr)
    throw std::bad_alloc();
  return made;
}

/// Without spaces around it, and with one for several inside.
std::string trimmed(std::string_view value) {
  std::string made;
  for (const char c : value) {
    if (c != ' ' && c != '\t')
      made += c;
    else if (!made.empty() && !made.ends_with(' '))
      made += ' ';
  }
  if (made.ends_with(' ')) made.pop_back();
  return made;
}

headers as_signed(const headers& all) {
  headers made;
  for (const auto& [name, value] : all) {
    std::string lower = name;
    std::ranges::transform(lower, lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    made.emplace_back(std::move(lower), trimmed(value));
  }
  std::ranges::sort(made);
  return made;
}

}  // namespace

std::string authorization(const unsigned_request& of, const credentials& as, std::string_view amz_date) {
  std::string listed;
  std::string names;
  for (const auto& [name, value] : as_signed(of.headers)) {
    fmt::format_to(std::back_inserter(listed), "{}:{}\n", name, value);
    names += (names.empty() ? "" : ";") + name;
  }
  const std::string canonical = fmt::format("{}\n{}\n{}\n{}\n{}\n{}", of.method, of.path, of.query, listed, names, of.body_sha256);
  const std::string_view day = amz_date.substr(0, 8);
  const std::string scope = fmt::format("{}/{}/{}/aws4_request", day, as.region, as.service);
  const std::string to_sign = fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", amz_date, scope, sha256_in_hex(canonical));
  const std::string first = "AWS4" + as.secret_key.reveal();
  const digest day_key =
      hmac(std::span(reinterpret_cast<const unsigned char*>(first.data()), first.size()), day);  // NOLINT(*-reinterpret-cast)
  const digest key = hmac(hmac(hmac(day_key, as.region), as.service), "aws4_request");
  return fmt::format("AWS4-HMAC-SHA256 Credential={}/{},SignedHeaders={},Signature={}", as.access_key.reveal(), scope, names,
                     hex(hmac(key, to_sign)));
}

std::string amz_date(wall_time at) {
  return fmt::format("{:%Y%m%dT%H%M%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(at)));
}

std::string encoded(query parameters) {
  for (auto& [name, value] : parameters) {
    name = percent_encoded(name);
    value = percent_encoded(value);
  }
  std::ranges::sort(parameters);
  std::string made;
  for (const auto& [name, value] : parameters) fmt::format_to(std::back_inserter(made), "{}{}={}", made.empty() ? "" : "&", name, value);
  return made;
}

std::string encoded_path(std::string_view path) {
  std::string made;
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t slash = std::min(path.find('/', at), path.size());
    made += percent_encoded(path.substr(at, slash - at));
    if (slash < path.size()) made += '/';
    at = slash + 1;
  }
  return made;
}

std::string sha256_in_hex(std::string_view bytes) {
  return hex(sha256(bytes));
}

}  // namespace flipback::s3
