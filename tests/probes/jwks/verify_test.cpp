#include "probes/jwks/verify.hpp"

#include "flipback/base64.hpp"

#include "probes/jwks/key.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>

#include <memory>

using namespace flipback;

namespace {

using key_ptr = std::shared_ptr<EVP_PKEY>;

key_ptr key_of(const char* jwk) {
  return jwks::public_key(boost::json::parse(jwk).as_object());
}

key_ptr made(EVP_PKEY* key) {
  REQUIRE(key != nullptr);
  return {key, EVP_PKEY_free};
}

bool verifies(const char* algorithm, const key_ptr& key, std::string_view text, const std::vector<unsigned char>& signature) {
  const auto* by = jwks::find_algorithm(algorithm);
  REQUIRE(by != nullptr);
  return jwks::fits(*by, *key) && jwks::verifies(*by, *key, text, signature);
}

bool verifies(const char* algorithm, const key_ptr& key, std::string_view text, const char* signature) {
  return verifies(algorithm, key, text, *from_base64url(signature));
}

/// What the owner of a key makes of a text by an algorithm, as a token has it.
std::vector<unsigned char> signed_with(const jwks::signature_algorithm& by, const key_ptr& key, std::string_view text) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  EVP_PKEY_CTX* how = nullptr;
  REQUIRE(EVP_DigestSignInit_ex(context.get(), &how, by.digest, nullptr, nullptr, key.get(), nullptr) == 1);
  if (by.pss) {
    EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(how, RSA_PSS_SALTLEN_DIGEST);
  }
  std::vector<unsigned char> signature(1024);
  std::size_t size = signature.size();
  const auto* const first = reinterpret_cast<const unsigned char*>(text.data());
  REQUIRE(EVP_DigestSign(context.get(), signature.data(), &size, first, text.size()) == 1);
  signature.resize(size);
  if (by.coordinate == 0) return signature;
  const unsigned char* at = signature.data();
  const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> pair(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size)), ECDSA_SIG_free);
  std::vector<unsigned char> raw(2 * by.coordinate);
  BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), raw.data(), static_cast<int>(by.coordinate));
  BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), raw.data() + by.coordinate, static_cast<int>(by.coordinate));
  return raw;
}

}  // namespace

TEST_CASE("the_examples_of_rfc_7515_and_rfc_8037_verify") {
  const auto rsa = key_of(
      R"({"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"})");
  const char* claims = ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
  const char* rs256 =  // A.2
      "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_"
      "O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_"
      "dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
  CHECK(verifies("RS256", rsa, std::string("eyJhbGciOiJSUzI1NiJ9") + claims, rs256));
  CHECK_FALSE(verifies("RS256", rsa, std::string("eyJhbGciOiJSUzI1NiJ9") + claims + "x", rs256));
  CHECK_FALSE(verifies("PS256", rsa, std::string("eyJhbGciOiJSUzI1NiJ9") + claims, rs256));

  const auto p256 = key_of(  // A.3
      R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})");
  CHECK(verifies("ES256", p256, std::string("eyJhbGciOiJFUzI1NiJ9") + claims,
                 "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"));
  const auto p521 = key_of(  // A.4
      R"({"kty":"EC","crv":"P-521","x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk","y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"})");
  CHECK(verifies("ES512", p521, "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA",
                 "AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_"
                 "7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn"));
  const auto ed25519 = key_of(R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})");  // RFC 8037, A.4
  CHECK(verifies("EdDSA", ed25519, "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
                 "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"));
}

TEST_CASE("what_any_algorithm_signs_verifies_by_it_and_no_changed_byte_does") {
  const auto rsa = made(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048}));
  const auto ed = made(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  for (const char* name : {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "ES256K", "EdDSA"}) {
    CAPTURE(name);
    const auto& by = *jwks::find_algorithm(name);
    auto key = std::string_view(name).ends_with("A") ? ed : rsa;
    if (by.group != nullptr) key = made(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", by.group));
    const auto signature = signed_with(by, key, "header.claims");
    CHECK(verifies(name, key, "header.claims", signature));
    CHECK_FALSE(verifies(name, key, "header.Claims", signature));
    CHECK_FALSE(verifies(name, key, "header.claims", std::vector<unsigned char>()));
    for (const std::size_t at : {std::size_t{0}, signature.size() / 2, signature.size() - 1}) {
      auto changed = signature;
      changed[at] ^= 1;
      CHECK_FALSE(verifies(name, key, "header.claims", changed));
    }
    CHECK_FALSE(verifies(name, key, "header.claims", {signature.begin(), signature.end() - 1}));
    auto longer = signature;
    longer.push_back(0);
    CHECK_FALSE(verifies(name, key, "header.claims", longer));
  }
}

TEST_CASE("a_key_goes_with_its_own_algorithms_alone") {
  const auto rsa = made(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{1024}));
  const auto p384 = made(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "secp384r1"));
  const auto x25519 = made(EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519"));
  CHECK(jwks::fits(*jwks::find_algorithm("PS512"), *rsa));
  CHECK_FALSE(jwks::fits(*jwks::find_algorithm("ES256"), *rsa));
  CHECK(jwks::fits(*jwks::find_algorithm("ES384"), *p384));
  CHECK_FALSE(jwks::fits(*jwks::find_algorithm("ES256"), *p384));
  CHECK_FALSE(jwks::fits(*jwks::find_algorithm("EdDSA"), *x25519));
}

TEST_CASE("an_algorithm_with_a_shared_secret_or_none_is_no_way_to_sign") {
  for (const char* name : {"none", "None", "HS256", "HS384", "HS512", "", "rs256", "RS1"}) CHECK(jwks::find_algorithm(name) == nullptr);
}
