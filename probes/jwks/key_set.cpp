#include "probes/jwks/key_set.hpp"

#include "flipback/quoted.hpp"

#include "probes/jwks/key.hpp"
#include "probes/jwks/verify.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace flipback::jwks {

namespace {

namespace json = net::json;

constexpr std::size_t most_keys = 256;  // a set has a handful; thousands would hold up everybody while they are parsed

/// Whether a key may verify signatures (RFC 7517, 4.2 and 4.3); some only agree on other keys.
bool may_verify(const json::object& from, const EVP_PKEY& made) {
  if (EVP_PKEY_is_a(&made, "X25519") == 1 || EVP_PKEY_is_a(&made, "X448") == 1) return false;
  if (const auto use = text_in(from, "use"); use && *use != "sig") return false;
  const json::value* operations = stated_in(from, "key_ops");
  if (operations == nullptr || !operations->is_array()) return true;
  return std::ranges::any_of(operations->get_array(), [](const json::value& o) { return o.is_string() && o.get_string() == "verify"; });
}

/// What a key in a public set gives away; empty: nothing.
std::string_view published_secret(const json::object& from) {
  if (text_in(from, "kty") == "oct" && stated_in(from, "k") != nullptr) return "is a symmetric key";
  constexpr std::array parts{"d", "p", "q", "dp", "dq", "qi", "oth"};  // RFC 7518, 6.2.2 and 6.3.2
  return std::ranges::any_of(parts, [&](const char* part) { return stated_in(from, part) != nullptr; }) ? "has its private part" : "";
}

/// Whether somebody who looks for a key by this one's id could take the other for it. A key for encryption may have the id of one for
/// signatures, as Keycloak has it, and so may one of another type (RFC 7517, 4.5).
bool is_ambiguous(const key& made, const key_set& among) {
  return !made.id.empty() && made.signs && std::ranges::any_of(among.keys, [&](const key& k) {
    return k.signs && k.id == made.id && EVP_PKEY_get_base_id(k.material.get()) == EVP_PKEY_get_base_id(made.material.get());
  });
}

std::expected<void, std::string> add_key(const json::object& from, const std::string& name, key_set& into) {
  if (const auto secret = published_secret(from); !secret.empty())
    return std::unexpected(fmt::format("{} {}: a secret is published", name, secret));
  if (!is_known(from)) {
    ++into.unknown;
    return {};
  }
  key made;
  made.material = public_key(from);
  if (!made.material) return std::unexpected(fmt::format("{} is no usable {} key", name, text_in(from, "kty").value_or("")));
  if (!fits_its_certificate(from, *made.material)) return std::unexpected(name + " does not fit its certificate (x5c)");
  made.id = text_in(from, "kid").value_or("");
  made.algorithm = text_in(from, "alg").value_or("");
  made.signs = may_verify(from, *made.material);
  if (is_ambiguous(made, into)) return std::unexpected(fmt::format("two keys for signatures have the id {}", shown_id(made.id)));
  if (!made.algorithm.empty()) into.algorithms.insert(made.algorithm);
  into.keys.push_back(std::move(made));
  return {};
}

}  // namespace

std::size_t key_set::signing() const {
  return static_cast<std::size_t>(std::ranges::count(keys, true, &key::signs));
}

bool key_set::has(std::string_view id) const {
  return std::ranges::find(keys, id, &key::id) != keys.end();
}

bool key_set::has_key_for(std::string_view algorithm) const {
  const signature_algorithm* by = find_algorithm(algorithm);
  return std::ranges::any_of(keys, [&](const key& k) {
    return k.algorithm.empty() ? by != nullptr && k.signs && fits(*by, *k.material) : k.algorithm == algorithm;
  });
}

std::string shown_id(std::string_view id) {
  constexpr std::size_t most = 64;
  return fmt::format("\"{}\"", flipback::quoted(id, {}, most));
}

std::expected<key_set, std::string> parse(const net::result<net::json_document>& body) {
  if (!body) return std::unexpected(body.error().says);
  const json::array* keys = net::array_at(*body, "/keys");
  if (keys == nullptr) return std::unexpected(std::string("the body has no array \"keys\""));
  if (keys->empty()) return std::unexpected(std::string("the key set is empty"));
  if (keys->size() > most_keys) return std::unexpected(fmt::format("the set has {} keys, expected at most {}", keys->size(), most_keys));
  key_set made;
  for (std::size_t i = 0; i < keys->size(); ++i) {
    if (!(*keys)[i].is_object()) return std::unexpected(fmt::format("key {} is no object", i + 1));
    const json::object& key = (*keys)[i].get_object();
    const auto id = text_in(key, "kid");
    const std::string name = id ? fmt::format("key {}", shown_id(*id)) : fmt::format("key {}", i + 1);
    if (auto added = add_key(key, name, made); !added) return std::unexpected(std::move(added.error()));
  }
  if (made.signing() == 0) return std::unexpected(std::string("no key of the set can verify a signature"));
  return made;
}

}  // namespace flipback::jwks
