#include "probes/jwks/token.hpp"

#include "flipback/base64.hpp"
#include "flipback/quoted.hpp"

#include "probes/jwks/verify.hpp"

#include <boost/json/array.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace flipback::jwks {

namespace {

namespace json = net::json;

net::failure malformed(std::string_view what) {
  return {reason::bad_answer, fmt::format("the token {}", what)};
}

/// A part of a token as JSON: an object.
std::optional<net::json_document> object_in(std::string_view part) {
  const auto bytes = from_base64url(std::string(part));
  if (!bytes) return std::nullopt;
  auto read = net::parse_json({reinterpret_cast<const char*>(bytes->data()), bytes->size()});
  if (!read || !(*read)->is_object()) return std::nullopt;
  return std::move(*read);
}

std::vector<std::string_view> parts_of(std::string_view text) {
  constexpr std::size_t enough = 6;  // one more than any form of a token has
  std::vector<std::string_view> parts;
  while (parts.size() < enough) {
    const std::size_t dot = text.find('.');
    parts.push_back(text.substr(0, dot));
    if (dot == std::string_view::npos) break;
    text.remove_prefix(dot + 1);
  }
  return parts;
}

net::failure wrong(std::string says) {
  return {reason::expectation, std::move(says)};
}

/// `aud` is a text, or a list of them (RFC 7519, 4.1.3).
std::vector<std::string> audiences(const json::value& claims) {
  std::vector<std::string> all;
  if (const auto one = net::text_at(claims, "/aud")) all.push_back(*one);
  if (const json::array* several = net::array_at(claims, "/aud")) {
    for (const json::value& one : *several)
      if (one.is_string()) all.emplace_back(one.get_string());
  }
  return all;
}

}  // namespace

net::result<token> decode(std::string_view text) {
  const auto parts = parts_of(text);
  if (parts.size() == 5) return std::unexpected(malformed("is encrypted (a JWE), expected a signed one"));
  if (parts.size() != 3) return std::unexpected(malformed("is no JWT: expected header.claims.signature"));
  const auto header = object_in(parts[0]);
  if (!header) return std::unexpected(malformed("is no JWT: its header is not JSON in base64url"));
  const auto algorithm = net::text_at(*header, "/alg");
  if (!algorithm) return std::unexpected(malformed("has a header without alg"));
  if (find_algorithm(*algorithm) == nullptr) {
    return std::unexpected(wrong(
        fmt::format("the token is signed by the algorithm \"{}\", expected one with a public key", flipback::quoted(*algorithm, {}, 32))));
  }
  // What must be understood and is not makes a token invalid (RFC 7515, 4.1.11); we understand none of it.
  if ((*header)->get_object().if_contains("crit") != nullptr) return std::unexpected(malformed("has a header with crit, which we don't know"));
  token made;
  made.algorithm = *algorithm;
  made.key_id = net::text_at(*header, "/kid");
  auto claims = object_in(parts[1]);
  if (!claims) return std::unexpected(malformed("has claims that are not JSON in base64url"));
  made.claims = std::move(*claims);
  auto signature = from_base64url(std::string(parts[2]));
  if (!signature) return std::unexpected(malformed("has a signature that is not in base64url"));
  made.signature = std::move(*signature);
  made.signed_text = text.substr(0, parts[0].size() + 1 + parts[1].size());
  return made;
}

net::result<const key*> key_for(const token& t, const key_set& in) {
  const signature_algorithm& by = *find_algorithm(t.algorithm);
  const auto may_sign = [&](const key& k) { return k.signs && fits(by, *k.material) && (k.algorithm.empty() || k.algorithm == by.name); };
  if (t.key_id) {
    const std::string id = shown_id(*t.key_id);
    if (!in.has(*t.key_id))
      return std::unexpected(net::failure{reason::absent, fmt::format("the token is signed by key {}, which is not in the set", id)});
    const auto named = std::ranges::find_if(in.keys, [&](const key& k) { return k.id == *t.key_id && may_sign(k); });
    if (named != in.keys.end()) return &*named;
    return std::unexpected(wrong(fmt::format("the token is signed by key {} with {}, which that key is not for", id, t.algorithm)));
  }
  const auto candidates = std::ranges::count_if(in.keys, may_sign);
  if (candidates == 1) return &*std::ranges::find_if(in.keys, may_sign);
  return std::unexpected(wrong(fmt::format("the token names no key, and {} of the set are for {}", candidates, t.algorithm)));
}

bool is_signed_by(const token& t, const key& by) {
  return verifies(*find_algorithm(t.algorithm), *by.material, t.signed_text, t.signature);
}

std::optional<net::failure> first_wrong(const json::value& claims, const expected_claims& expected) {
  const auto issuer = net::text_at(claims, "/iss");
  if (!issuer) return wrong("the token has no issuer (iss)");
  if (*issuer != expected.issuer)
    return wrong(
        fmt::format("the token's issuer is \"{}\", expected \"{}\"", flipback::quoted(*issuer), flipback::quoted(expected.issuer)));
  const auto all = audiences(claims);
  if (!expected.audience.empty() && std::ranges::find(all, expected.audience) == all.end()) {
    const std::string found = all.empty() ? "nobody" : fmt::format("\"{}\"", flipback::quoted(fmt::format("{}", fmt::join(all, "\", \""))));
    return wrong(fmt::format("the token's audience is {}, expected \"{}\"", found, flipback::quoted(expected.audience)));
  }
  const auto ends = net::number_at(claims, "/exp");
  if (!ends) return wrong("the token has no end (exp)");
  // "On or after" its end it is not accepted (RFC 7519, 4.1.4).
  if (expected.now >= *ends + leeway)
    return wrong(
        fmt::format("the token that was just given ended {:.6g} s ago: a clock is wrong, or its life is too short", expected.now - *ends));
  for (const std::string_view when : {"/nbf", "/iat"}) {
    const auto begins = net::number_at(claims, when);
    if (begins && *begins > expected.now + leeway)
      return wrong(
          fmt::format("the token that was just given begins in {:.6g} s ({}): a clock is wrong", *begins - expected.now, when.substr(1)));
  }
  return std::nullopt;
}

}  // namespace flipback::jwks
