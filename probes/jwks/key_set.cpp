#include "probes/jwks/key_set.hpp"

#include "flipback/quoted.hpp"

#include "probes/jwks/key.hpp"
#include "probes/jwks/verify.hpp"
#include "probes/net/json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace flipback::jwks {

namespace {

namespace json = net::json;

constexpr std::size_t most_keys = 256;  // a set has a handful; thousands would hold up everybody while they are parsed

/// Whether a key may verify signatures (RFC 7517, 4.2 and 4.3); some only agree on other keys.
bool may_verify(const json::object& from, const EVP_PKEY& made) {
  if (EVP_PKEY_is_a(&made, "X25519") == 1 || EVP_PKEY_is_a(&made, "X448") == 1) return false;
  if (const auto use = text_in(from, "use"); use && *use != "sig") return false;
  const json::value* operations = from.if_contains("key_ops");
  if (operations == nullptr || !operations->is_array()) return true;
  return std::ranges::any_of(operations->get_array(), [](const json::value& o) { return o.is_string() && o.get_string() == "verify"; });
}

std::expected<void, std::string> add_key(const json::object& from, const std::string& name, key_set& into) {
  const auto kind = text_in(from, "kty");
  if (!kind) return std::unexpected(name + " has no kty");
  if (*kind == "oct") return std::unexpected(name + " is a symmetric key: a secret is published");
  for (const std::string_view secret : {"d", "p", "q", "dp", "dq", "qi", "oth"}) {  // RFC 7518, 6.2.2 and 6.3.2
    if (from.if_contains(secret) != nullptr) return std::unexpected(name + " has its private part: a secret is published");
  }
  if (!is_known(from)) {
    ++into.unknown;
    return {};
  }
  key made;
  made.material = public_key(from);
  if (!made.material) return std::unexpected(fmt::format("{} is no usable {} key", name, *kind));
  if (!fits_its_certificate(from, *made.material)) return std::unexpected(name + " does not fit its certificate (x5c)");
  made.id = text_in(from, "kid").value_or("");
  made.algorithm = text_in(from, "alg").value_or("");
  made.signs = may_verify(from, *made.material);
  if (!made.algorithm.empty()) into.algorithms.insert(made.algorithm);
  into.keys.push_back(std::move(made));
  return {};
}

}  // namespace

std::size_t key_set::signing() const {
  return static_cast<std::size_t>(std::ranges::count(keys, true, &key::signs));
}

const key* key_set::find(std::string_view id) const {
  const auto at = std::ranges::find(keys, id, &key::id);
  return at == keys.end() ? nullptr : &*at;
}

bool key_set::has_key_for(std::string_view algorithm) const {
  const signature_algorithm* by = find_algorithm(algorithm);
  return std::ranges::any_of(keys, [&](const key& k) {
    return k.algorithm.empty() ? by != nullptr && k.signs && fits(*by, *k.material) : k.algorithm == algorithm;
  });
}

std::string shown_id(std::string_view id) {
  constexpr std::size_t most = 64;
  return fmt::format("\"{}\"", quoted(id, {}, most));
}

std::expected<key_set, std::string> parse(std::string_view body) {
  const auto document = net::parse_json(body);
  if (!document) return std::unexpected(document.error().says);
  const json::array* keys = net::array_at(*document, "/keys");
  if (keys == nullptr) return std::unexpected(std::string("the body has no array \"keys\""));
  if (keys->empty()) return std::unexpected(std::string("the key set is empty"));
  if (keys->size() > most_keys) return std::unexpected(fmt::format("the set has {} keys, expected at most {}", keys->size(), most_keys));
  key_set made;
  std::set<std::string> ids;
  for (std::size_t i = 0; i < keys->size(); ++i) {
    if (!(*keys)[i].is_object()) return std::unexpected(fmt::format("key {} is no object", i + 1));
    const json::object& key = (*keys)[i].get_object();
    const auto id = text_in(key, "kid");
    if (id && !ids.insert(*id).second) return std::unexpected(fmt::format("the key id {} is there twice", shown_id(*id)));
    const std::string name = id ? fmt::format("key {}", shown_id(*id)) : fmt::format("key {}", i + 1);
    if (auto added = add_key(key, name, made); !added) return std::unexpected(std::move(added.error()));
  }
  if (made.signing() == 0) return std::unexpected(std::string("no key of the set can verify a signature"));
  return made;
}

}  // namespace flipback::jwks
