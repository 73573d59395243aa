#include "probes/jwks/key.hpp"

#include "flipback/base64.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <span>
#include <vector>

namespace flipback::jwks {

namespace {

namespace json = boost::json;
using bytes = std::vector<unsigned char>;

constexpr int shortest_rsa = 1024;  // bits; shorter keys can be factored

template <auto end>
struct ended_by {
  void operator()(auto* p) const { end(p); }
};
using big_number = std::unique_ptr<BIGNUM, ended_by<BN_free>>;
using parameter_builder = std::unique_ptr<OSSL_PARAM_BLD, ended_by<OSSL_PARAM_BLD_free>>;
using parameters = std::unique_ptr<OSSL_PARAM, ended_by<OSSL_PARAM_free>>;
using key_context = std::unique_ptr<EVP_PKEY_CTX, ended_by<EVP_PKEY_CTX_free>>;
using certificate = std::unique_ptr<X509, ended_by<X509_free>>;
using key_ptr = std::shared_ptr<EVP_PKEY>;

key_ptr owned(EVP_PKEY* key) {
  return key == nullptr ? nullptr : key_ptr(key, EVP_PKEY_free);
}

key_ptr make_key(const char* type, OSSL_PARAM* params) {
  const key_context context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* made = nullptr;
  if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 || EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, params) != 1)
    return nullptr;
  return owned(made);
}

key_ptr rsa_key(const json::object& from) {
  const auto n = text_in(from, "n");
  const auto e = text_in(from, "e");
  const auto modulus = n ? from_base64url(*n) : std::nullopt;
  const auto exponent = e ? from_base64url(*e) : std::nullopt;
  if (!modulus || !exponent || modulus->empty() || exponent->empty()) return nullptr;
  const big_number big_n(BN_bin2bn(modulus->data(), static_cast<int>(modulus->size()), nullptr));
  const big_number big_e(BN_bin2bn(exponent->data(), static_cast<int>(exponent->size()), nullptr));
  const parameter_builder builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, big_n.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, big_e.get());
  const parameters params(OSSL_PARAM_BLD_to_param(builder.get()));
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
    const parameter_builder builder(OSSL_PARAM_BLD_new());
    OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, c.group, 0);
    OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
    const parameters params(OSSL_PARAM_BLD_to_param(builder.get()));
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
  return owned(EVP_PKEY_new_raw_public_key(found->type, nullptr, raw->data(), raw->size()));
}

}  // namespace

const json::value* stated_in(const json::object& from, std::string_view name) {
  const json::value* found = from.if_contains(name);
  const bool empty = found == nullptr || found->is_null() || (found->is_string() && found->get_string().empty()) ||
                     (found->is_array() && found->get_array().empty());
  return empty ? nullptr : found;
}

std::optional<std::string> text_in(const json::object& from, std::string_view name) {
  const json::value* found = stated_in(from, name);
  return found != nullptr && found->is_string() ? std::optional(std::string(found->get_string())) : std::nullopt;
}

bool is_known(const json::object& key) {
  const auto kind = text_in(key, "kty");
  const auto crv = text_in(key, "crv");
  if (kind == "RSA") return true;
  if (kind == "EC") return !crv || std::ranges::find(curves, *crv, &curve::name) != curves.end();
  if (kind == "OKP") return !crv || std::ranges::find(okp_curves, *crv, &okp_curve::name) != okp_curves.end();
  return false;
}

std::shared_ptr<EVP_PKEY> public_key(const json::object& key) {
  const auto kind = text_in(key, "kty");
  key_ptr made;
  if (kind == "RSA")
    made = rsa_key(key);
  else if (kind == "EC")
    made = ec_key(key);
  else if (kind == "OKP")
    made = okp_key(key);
  return made;
}

bool fits_its_certificate(const json::object& key, const EVP_PKEY& made) {
  const json::value* chain = stated_in(key, "x5c");
  if (chain == nullptr) return true;
  if (!chain->is_array() || !chain->get_array().front().is_string()) return false;
  const auto der = from_base64(std::string(chain->get_array().front().get_string()));
  if (!der) return false;
  const unsigned char* at = der->data();
  const certificate shown(d2i_X509(nullptr, &at, static_cast<long>(der->size())));
  return shown && EVP_PKEY_eq(X509_get0_pubkey(shown.get()), &made) == 1;
}

std::string fingerprint(const EVP_PKEY& key) {
  unsigned char* encoded = nullptr;
  const int size = i2d_PUBKEY(&key, &encoded);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  if (size > 0) EVP_Digest(encoded, static_cast<std::size_t>(size), digest.data(), nullptr, EVP_sha256(), nullptr);
  OPENSSL_free(encoded);
  return fmt::format("{:02x}", fmt::join(std::span(digest).first(8), ""));
}

}  // namespace flipback::jwks
