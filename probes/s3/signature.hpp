#pragma once

#include "flipback/secret.hpp"
#include "flipback/units.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Signature Version 4, as S3 wants it in a header: docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html. Pure.
namespace flipback::s3 {

struct credentials {
  secret access_key;
  secret secret_key;
  secret session_token;  ///< empty: these are no temporary credentials
  std::string region;
  std::string service = "s3";
};

using headers = std::vector<std::pair<std::string, std::string>>;
using query = std::vector<std::pair<std::string, std::string>>;  ///< not encoded yet

/// A request as it will be sent.
struct unsigned_request {
  std::string_view method;
  std::string_view path;         ///< encoded
  std::string_view query;        ///< encoded and sorted: `encoded(query)`
  s3::headers headers;           ///< all that are to be signed; Host must be among them
  std::string_view body_sha256;  ///< in hexadecimal
};

/// The value of the header Authorization.
std::string authorization(const unsigned_request& of, const credentials& as, std::string_view amz_date);

/// "20130524T000000Z"
std::string amz_date(wall_time at);
/// "a=1&b=", by name and percent-encoded: as it is sent and as it is signed.
std::string encoded(query parameters);
/// A path with each part percent-encoded once; its slashes stay.
std::string encoded_path(std::string_view path);
std::string sha256_in_hex(std::string_view bytes);

}  // namespace flipback::s3
