#include "agent/serve/change_body.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using namespace flipback;
using serve::api;

namespace {

std::expected<serve::demand, serve::answer> read(const std::string& body, std::string_view path = "/api/v1/rollback") {
  serve::request of{.method = "POST", .path = std::string(path), .query = "", .headers = {}, .body = body, .from = {}, .to = {}};
  of.from = boost::asio::ip::make_address("127.0.0.1");
  const auto all = api::routes();
  const api::route& by = *std::ranges::find(all, path, &api::route::path);
  return serve::demand_of({of, by, ""});
}

}  // namespace

TEST_CASE("a_change_says_what_the_command_lines_verb_does") {
  const auto what = read(R"({"reason": "CVE", "stable": "blue", "force": true, "by": "alice"})");
  REQUIRE(what.has_value());
  CHECK(what->verb == "rollback");
  CHECK(what->values == std::map<std::string, std::string>{{"reason", "CVE"}, {"stable", "blue"}, {"force", "yes"}});
  CHECK(what->by == "alice (HTTP API, from 127.0.0.1)");
  CHECK(read(R"({"force": false})")->values.empty());
  CHECK(read("", "/api/v1/unhold")->by == "HTTP API, from 127.0.0.1");
  CHECK(read(R"({"by": "  "})", "/api/v1/unhold")->by == "HTTP API, from 127.0.0.1");
}

TEST_CASE("a_name_can_not_pass_for_the_kernels_word") {
  const std::string by = read("{\"by\": \"root (uid 0)\\n\\u001b[2J\"}", "/api/v1/unhold")->by;
  CHECK(by == "root (uid 0) [2J (HTTP API, from 127.0.0.1)");
}

TEST_CASE("what_is_no_object_of_the_routes_keys_is_refused") {
  for (const char* body : {"nonsense", "[]", "1", "{", "{\"reason\": \"\xff\"}", "{} {}"}) {
    CAPTURE(body);
    CHECK(read(body).error().status == 400);
  }
  for (const char* body : {R"({"reason": 1})", R"({"reason": null})", R"({"reason": ["a"]})", R"({"force": "yes"})", R"({"force": 1})",
                           R"({"reson": "a"})", R"({"json": "yes"})", R"({"by": true})", R"({"verb": "hold"})"}) {
    CAPTURE(body);
    CHECK(read(body).error().status == 422);
  }
  CHECK(read(R"({"reson": "a"})").error().body.find("did you mean reason?") != std::string::npos);
}

TEST_CASE("a_key_that_stands_there_twice_is_refused_by_its_name") {
  for (const char* body : {R"({"reason": "a", "reason": "b"})", R"({"reason": "a", "force": true, "reason": "a"})",
                           R"({"reason": "a", "re\u0061son": "b"})", R"({"reason": 1, "reason": "b", "reson": ""})"}) {
    CAPTURE(body);
    const auto refused = read(body);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().status == 422);
    CHECK(refused.error().body.find(R"(found the key \"reason\" twice, expected it once)") != std::string::npos);
  }
  CHECK(read(R"({"reason": "a", "Reason": "b"})").error().body.find("twice") == std::string::npos);
  CHECK(read(R"({"reason": {"a": 1, "a": 2}})").error().body.find("twice") == std::string::npos);
  CHECK(read(R"({"reason": "reason", "stable": "reason"})").has_value());
}
