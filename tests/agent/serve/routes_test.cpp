#include "agent/serve/routes.hpp"

#include "agent/serve/embedded.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

using namespace flipback;
using serve::api;
namespace json = boost::json;

namespace {

serve::request asked(const std::string& method, const std::string& path) {
  return {.method = method, .path = path, .query = "", .headers = {}, .body = "", .from = {}, .to = {}};
}

unsigned status(const std::string& method, const std::string& path) {
  const auto found = serve::route_of(asked(method, path));
  return found ? 200 : found.error().status;
}

json::object document() {
  return json::parse(std::string(serve::embedded("openapi.json")->bytes)).as_object();
}

std::string in_small(std::string_view text) {
  std::string made(text);
  std::ranges::transform(made, made.begin(), [](unsigned char c) { return std::tolower(c); });
  return made;
}

}  // namespace

TEST_CASE("each_route_is_documented_and_each_documented_route_is_there") {
  std::set<std::string> routed;
  for (const api::route& r : api::routes()) routed.insert(in_small(r.method) + " " + std::string(r.path));
  std::set<std::string> documented;
  for (const auto& [path, methods] : document().at("paths").as_object()) {
    for (const auto& [method, operation] : methods.as_object()) documented.insert(std::string(method) + " " + std::string(path));
  }
  CHECK(routed.size() == api::routes().size());
  CHECK(routed == documented);
}

TEST_CASE("each_key_of_a_change_is_documented_and_no_other") {
  const json::object paths = document().at("paths").as_object();
  for (const api::route& r : api::routes()) {
    if (r.method != "POST") continue;
    CAPTURE(r.path);
    const json::value& operation = paths.at(r.path).at("post");
    const json::value& schema = operation.at("requestBody").at("content").at("application/json").at("schema");
    std::set<std::string> keys{"by"};
    for (const api::key& k : r.keys) {
      keys.emplace(k.name);
      CHECK(schema.at("properties").at(k.name).at("type").as_string() == (k.is_flag ? "boolean" : "string"));
    }
    std::set<std::string> documented;
    for (const auto& [key, value] : schema.at("properties").as_object()) documented.insert(key);
    CHECK(keys == documented);
  }
}

TEST_CASE("what_a_route_asks_for_is_documented") {
  const json::object paths = document().at("paths").as_object();
  for (const api::route& r : api::routes()) {
    CAPTURE(r.path);
    const json::object& answers = paths.at(r.path).at(in_small(r.method)).at("responses").as_object();
    CHECK(answers.contains("401") == (r.needs >= serve::asks_for::reading));
    CHECK(answers.contains("415") == (r.needs == serve::asks_for::changing));
    CHECK((r.method == "POST") == (r.needs == serve::asks_for::changing));
    CHECK((r.path.starts_with("/api/")) == (r.needs >= serve::asks_for::reading));
  }
}

TEST_CASE("a_path_leads_to_its_route_and_no_other_does") {
  CHECK(serve::route_of(asked("GET", "/api/v1/rules/down%3Ablue"))->part == "down:blue");
  CHECK(serve::route_of(asked("HEAD", "/metrics"))->is->path == "/metrics");
  for (const char* path : {"", "*", "/api", "/api/v1/", "/api/v1/rules/", "/api/v1/rules/a/b", "/api/v1/rules/%zz", "/metrics/",
                           "//metrics", "/../metrics", "http://localhost/metrics", "/page/", "/page/../api"})
    CHECK(status("GET", path) == 404);
}

TEST_CASE("a_method_that_a_path_does_not_take_is_told_those_that_it_does") {
  const auto refused = serve::route_of(asked("OPTIONS", "/api/v1/rollback"));
  CHECK(refused.error().status == 405);
  CHECK(refused.error().headers.front() == std::pair<std::string, std::string>("Allow", "POST"));
  CHECK(serve::route_of(asked("POST", "/api/v1/status")).error().headers.front().second == "GET, HEAD");
  for (const char* method : {"HEAD", "GET", "PUT", "get", "POST ", ""}) CHECK(status(method, "/api/v1/hold") == 405);
}
