#include "probes/s3/signature.hpp"

#include <doctest/doctest.h>

#include <chrono>

using namespace flipback;

namespace {

const s3::credentials example{secret("AKIAIOSFODNN7EXAMPLE"), secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), secret(), "us-east-1"};
constexpr std::string_view date = "20130524T000000Z";
constexpr std::string_view of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

s3::headers usual(std::string_view hash) {
  return {{"Host", "examplebucket.s3.amazonaws.com"}, {"x-amz-content-sha256", std::string(hash)}, {"x-amz-date", std::string(date)}};
}

std::string signature_of(const s3::unsigned_request& request, const s3::credentials& as = example, std::string_view at = date) {
  const std::string all = s3::authorization(request, as, at);
  return all.substr(all.rfind('=') + 1);
}

}  // namespace

// AWS' own examples: docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html.
TEST_CASE("the_examples_of_s3_s_documentation_are_signed_as_it_says") {
  s3::headers get = usual(of_nothing);
  get.emplace_back("Range", "bytes=0-9");
  CHECK(s3::authorization({"GET", "/test.txt", "", get, of_nothing}, example, date) ==
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
        "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  const std::string hash = s3::sha256_in_hex("Welcome to Amazon S3.");
  s3::headers put = usual(hash);
  put.emplace_back("Date", "Fri, 24 May 2013 00:00:00 GMT");
  put.emplace_back("x-amz-storage-class", "REDUCED_REDUNDANCY");
  CHECK(signature_of({"PUT", s3::encoded_path("/test$file.text"), "", put, hash}) ==
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
  CHECK(signature_of({"GET", "/", s3::encoded({{"lifecycle", ""}}), usual(of_nothing), of_nothing}) ==
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
  CHECK(signature_of({"GET", "/", s3::encoded({{"prefix", "J"}, {"max-keys", "2"}}), usual(of_nothing), of_nothing}) ==
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

// awslabs/aws-c-auth, tests/aws-signing-test-suite/v4/get-vanilla.
TEST_CASE("another_service_is_signed_for_by_its_name") {
  const s3::credentials suite{secret("AKIDEXAMPLE"), secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), secret(), "us-east-1", "service"};
  const s3::headers vanilla{{"Host", "example.amazonaws.com"}, {"X-Amz-Date", "20150830T123600Z"}};
  CHECK(signature_of({"GET", "/", "", vanilla, of_nothing}, suite, "20150830T123600Z") ==
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
}

TEST_CASE("spaces_and_order_and_case_of_headers_change_no_signature") {
  const s3::headers plain{{"host", "a:9000"}, {"my-header", "a b c"}, {"x-amz-date", std::string(date)}};
  const s3::headers spaced{{"X-Amz-Date", std::string(date)}, {"My-Header", "  a   b\tc "}, {"Host", "a:9000"}};
  CHECK(signature_of({"GET", "/", "", plain, of_nothing}) == signature_of({"GET", "/", "", spaced, of_nothing}));
  const s3::headers other_port{{"host", "a"}, {"my-header", "a b c"}, {"x-amz-date", std::string(date)}};
  CHECK(signature_of({"GET", "/", "", plain, of_nothing}) != signature_of({"GET", "/", "", other_port, of_nothing}));
}

TEST_CASE("paths_and_queries_are_encoded_once") {
  CHECK(s3::encoded_path("/bucket/db/a b+c%2F\xc3\xa4//x") == "/bucket/db/a%20b%2Bc%252F%C3%A4//x");
  CHECK(s3::encoded_path("/") == "/");
  CHECK(s3::encoded_path("/../.") == "/../.");  // S3 does not normalise
  CHECK(s3::encoded({}).empty());
  CHECK(s3::encoded({{"prefix", "a/b c"}, {"list-type", "2"}, {"delimiter", ""}}) == "delimiter=&list-type=2&prefix=a%2Fb%20c");
}

TEST_CASE("a_date_is_written_in_utc") {
  CHECK(s3::amz_date(wall_time(std::chrono::seconds(1369353600))) == date);
}
