#include "probes/jwks/key_set.hpp"

#include "probes/base64.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <vector>

namespace flipback::jwks {

namespace {

namespace json = boost::json;
using bytes = std::vector<unsigned char>;

constexpr int shortest_rsa = 1024;  // bits; shorter keys can be factored

struct free_bn {
  void operator()(BIGNUM* p) const { BN_free(p); }
};
struct free_builder {
  void operator()(OSSL_PARAM_BLD* p) const { OSSL_PARAM_BLD_free(p); }
};
struct free_params {
  void operator()(OSSL_PARAM* p) const { OSSL_PARAM_free(p); }
};
struct free_key {
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
};
struct free_context {
  void operator()(EVP_PKEY_CTX* p) const { EVP_PKEY_CTX_free(p); }
};
struct free_certificate {
  void operator()(X509* p) const { X509_free(p); }
};
using key_ptr = std::unique_ptr<EVP_PKEY, free_key>;

std::optional<std::string> text_in(const json::object& from, std::string_view name) {
  const json::value* found = from.if_contains(name);
  return found != nullptr && found->is_string() ? std::optional(std::string(found->get_string())) : std::nullopt;
}

key_ptr make_key(const char* type, OSSL_PARAM* params) {
  const std::unique_ptr<EVP_PKEY_CTX, free_context> context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* made = nullptr;
  if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 || EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, params) != 1)
    return nullptr;
  return key_ptr(made);
}

key_ptr rsa_key(const json::object& from) {
  const auto n = text_in(from, "n");
  const auto e = text_in(from, "e");
  const auto modulus = n ? from_base64url(*n) : std::nullopt;
  const auto exponent = e ? from_base64url(*e) : std::nullopt;
  if (!modulus || !exponent || modulus->empty() || exponent->empty()) return nullptr;
  const std::unique_ptr<BIGNUM, free_bn> big_n(BN_bin2bn(modulus->data(), static_cast<int>(modulus->size()), nullptr));
  const std::unique_ptr<BIGNUM, free_bn> big_e(BN_bin2bn(exponent->data(), static_cast<int>(exponent->size()), nullptr));
  const std::unique_ptr<OSSL_PARAM_BLD, free_builder> builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, big_n.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, big_e.get());
  const std::unique_ptr<OSSL_PARAM, free_params> params(OSSL_PARAM_BLD_to_param(builder.get()));
  key_ptr made = make_key("RSA", params.get());
  if (!made || EVP_PKEY_get_bits(made.get()) < shortest_rsa || BN_is_odd(big_e.get()) == 0 || BN_is_one(big_e.get()) != 0) return nullptr;
  return made;
}

struct curve {
  std::string_view name;
  const char* group;
  std::size_t size;  ///< of a coordinate, in bytes
};
constexpr std::array<curve, 4> curves{
    {{"P-256", "prime256v1", 32}, {"P-384", "secp384r1", 48}, {"P-521", "secp521r1", 66}, {"secp256k1", "secp256k1", 32}}};

key_ptr ec_key(const json::object& from) {
  const auto crv = text_in(from, "crv");
  const auto x = text_in(from, "x");
  const auto y = text_in(from, "y");
  if (!crv || !x || !y) return nullptr;
  const auto px = from_base64url(*x);
  const auto py = from_base64url(*y);
  for (const curve& c : curves) {
    if (c.name != *crv || !px || !py || px->size() != c.size || py->size() != c.size) continue;
    bytes point{4};  // uncompressed
    point.insert(point.end(), px->begin(), px->end());
    point.insert(point.end(), py->begin(), py->end());
    const std::unique_ptr<OSSL_PARAM_BLD, free_builder> builder(OSSL_PARAM_BLD_new());
    OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, c.group, 0);
    OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
    const std::unique_ptr<OSSL_PARAM, free_params> params(OSSL_PARAM_BLD_to_param(builder.get()));
    return make_key("EC", params.get());  // refuses a point that is not on the curve
  }
  return nullptr;
}

struct okp_curve {
  std::string_view name;
  int type;
};
constexpr std::array<okp_curve, 4> okp_curves{
    {{"Ed25519", EVP_PKEY_ED25519}, {"Ed448", EVP_PKEY_ED448}, {"X25519", EVP_PKEY_X25519}, {"X448", EVP_PKEY_X448}}};

key_ptr okp_key(const json::object& from) {
  const auto crv = text_in(from, "crv");
  const auto x = text_in(from, "x");
  const auto raw = x ? from_base64url(*x) : std::nullopt;
  const auto* const found = std::ranges::find(okp_curves, crv.value_or(""), &okp_curve::name);
  if (!raw || found == okp_curves.end()) return nullptr;
  return key_ptr(EVP_PKEY_new_raw_public_key(found->type, nullptr, raw->data(), raw->size()));
}

/// Whether we know how to parse it at all. A reader skips a key of a type or on a curve that it does not know (RFC 7517, 5).
bool is_known(std::string_view kind, const json::object& from) {
  const auto crv = text_in(from, "crv");
  if (kind == "RSA") return true;
  if (kind == "EC") return !crv || std::ranges::find(curves, *crv, &curve::name) != curves.end();
  if (kind == "OKP") return !crv || std::ranges::find(okp_curves, *crv, &okp_curve::name) != okp_curves.end();
  return false;
}

/// Where a key comes with its certificate, the two must be one.
bool certificate_fits(const json::object& from, const EVP_PKEY* key) {
  const json::value* chain = from.if_contains("x5c");
  if (chain == nullptr) return true;
  if (!chain->is_array() || chain->get_array().empty() || !chain->get_array().front().is_string()) return false;
  const auto der = from_base64(std::string(chain->get_array().front().get_string()));
  if (!der) return false;
  const unsigned char* at = der->data();
  const std::unique_ptr<X509, free_certificate> certificate(d2i_X509(nullptr, &at, static_cast<long>(der->size())));
  return certificate && EVP_PKEY_eq(X509_get0_pubkey(certificate.get()), key) == 1;
}

std::expected<void, std::string> add_key(const json::object& from, const std::string& name, key_set& into) {
  const auto kind = text_in(from, "kty");
  if (!kind) return std::unexpected(name + " has no kty");
  if (*kind == "oct") return std::unexpected(name + " is a symmetric key: a secret is published");
  for (const std::string_view secret : {"d", "p", "q", "dp", "dq", "qi", "oth"}) {  // RFC 7518, 6.2.2 and 6.3.2
    if (from.if_contains(secret) != nullptr) return std::unexpected(name + " has its private part: a secret is published");
  }
  if (!is_known(*kind, from)) {
    ++into.unknown;
    return {};
  }
  key_ptr made;
  if (*kind == "RSA")
    made = rsa_key(from);
  else if (*kind == "EC")
    made = ec_key(from);
  else
    made = okp_key(from);
  if (!made) return std::unexpected(fmt::format("{} is no usable {} key", name, *kind));
  if (!certificate_fits(from, made.get())) return std::unexpected(name + " does not fit its certificate (x5c)");
  ++into.keys;
  const auto use = text_in(from, "use");
  const bool signs = EVP_PKEY_is_a(made.get(), "X25519") == 0 && EVP_PKEY_is_a(made.get(), "X448") == 0;  // those agree on keys
  if (signs && (!use || *use == "sig")) ++into.signing;
  if (const auto algorithm = text_in(from, "alg")) into.algorithms.insert(*algorithm);
  return {};
}

}  // namespace

std::expected<key_set, std::string> parse(std::string_view body) {
  boost::system::error_code error;
  const json::value document = json::parse(body, error);
  if (error) return std::unexpected(fmt::format("the body is not JSON: {}", error.message()));
  const json::value* keys = document.is_object() ? document.get_object().if_contains("keys") : nullptr;
  if (keys == nullptr || !keys->is_array()) return std::unexpected(std::string("the body has no array \"keys\""));
  if (keys->get_array().empty()) return std::unexpected(std::string("the key set is empty"));
  key_set made;
  std::set<std::string> ids;
  for (std::size_t i = 0; i < keys->get_array().size(); ++i) {
    const json::value& key = keys->get_array()[i];
    if (!key.is_object()) return std::unexpected(fmt::format("key {} is no object", i + 1));
    const auto id = text_in(key.get_object(), "kid");
    if (id && !ids.insert(*id).second) return std::unexpected(fmt::format("the key id {} is there twice", *id));
    if (auto added = add_key(key.get_object(), id ? fmt::format("key {}", *id) : fmt::format("key {}", i + 1), made); !added) {
      return std::unexpected(std::move(added.error()));
    }
  }
  if (made.signing == 0) return std::unexpected(std::string("no key of the set can verify a signature"));
  return made;
}

}  // namespace flipback::jwks
