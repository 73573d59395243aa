#include "agent/serve/admission.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace flipback;
using serve::asks_for;
using serve::request;
namespace asio = boost::asio;

namespace {

const std::string token = "0123456789abcdef0123";

config::agent configured(const std::string& with_token = token) {
  config::agent made;
  made.token = secret(with_token);
  made.hosts = {"flipback.example.com"};
  return made;
}

request from(const char* peer, serve::headers also = {}) {
  request made{
      .method = "GET", .path = "/api/v1/status", .query = "", .headers = {{"Host", "localhost:19187"}}, .body = "", .from = {}, .to = {}};
  made.from = asio::ip::make_address(peer);
  made.to = asio::ip::make_address("192.0.2.7");
  for (auto& [name, value] : also) {
    if (name == "Host") made.headers.clear();
  }
  for (auto& one : also) made.headers.push_back(one);
  return made;
}

unsigned status(asks_for what, const request& asked, const config::agent& by = configured()) {
  const auto refused = serve::refusal(what, asked, by);
  return refused ? refused->status : 200;
}

const std::pair<std::string, std::string> right{"Authorization", "Bearer " + token};
const std::pair<std::string, std::string> json{"content-type", "application/json; charset=utf-8"};

}  // namespace

TEST_CASE("a_host_is_one_of_ours_or_the_address_that_was_reached") {
  for (const char* host : {"localhost", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:19187", "[::1]", "[::1]:19187", "192.0.2.7", "192.0.2.7:80",
                           "flipback.example.com", "Flipback.Example.com:443"}) {
    CAPTURE(host);
    CHECK(status(asks_for::our_name, from("127.0.0.1", {{"Host", host}})) == 200);
  }
  for (const char* host : {"", "evil.example.com", "localhost.evil.example.com", "flipback.example.com.", "192.0.2.8", "127.0.0.2", "::1",
                           "localhost:port", "localhost localhost", "a:80:80", "[::1", "127.1", "2130706433"}) {
    CAPTURE(host);
    CHECK(status(asks_for::our_name, from("127.0.0.1", {{"Host", host}})) == 421);
    CHECK(status(asks_for::nothing, from("127.0.0.1", {{"Host", host}})) == 200);
  }
  CHECK(status(asks_for::our_name, from("127.0.0.1", {{"Host", "localhost"}, {"host", "localhost"}})) == 421);
  CHECK(status(asks_for::our_name, from("127.0.0.1", {{"Host", std::string("192.0.2.7\0.evil.com", 19)}})) == 421);
}

TEST_CASE("by_a_name_that_is_not_ours_nothing_is_read_nor_changed_whoever_asks") {
  for (const auto what : {asks_for::reading, asks_for::changing}) {
    CHECK(status(what, from("127.0.0.1", {right, json, {"Host", "flipback.example.com"}})) == 200);
    CHECK(status(what, from("127.0.0.1", {right, json, {"Host", "evil.example.com"}})) == 421);
    CHECK(status(what, from("127.0.0.1", {right, json, {"Host", "evil.example.com"}, {"Origin", "http://evil.example.com"}})) == 421);
  }
}

TEST_CASE("who_is_on_this_host_reads_without_a_token_and_nobody_else") {
  for (const char* peer : {"127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"}) CHECK(status(asks_for::reading, from(peer)) == 200);
  for (const char* peer : {"192.0.2.1", "::2", "::ffff:192.0.2.1", "0.0.0.0"}) {
    CAPTURE(peer);
    CHECK(status(asks_for::reading, from(peer)) == 401);
    CHECK(status(asks_for::reading, from(peer), configured("")) == 401);
    CHECK(status(asks_for::reading, from(peer, {{"Authorization", "Bearer "}}), configured("")) == 401);  // no token is nobody's token
    CHECK(status(asks_for::reading, from(peer, {right})) == 200);
  }
  for (const char* proxied : {"X-Forwarded-For", "forwarded", "X-Real-IP", "Via", "X-Forwarded-Host", "X-Forwarded-Proto"}) {
    CAPTURE(proxied);
    CHECK(status(asks_for::reading, from("127.0.0.1", {{proxied, "192.0.2.1"}})) == 401);
    CHECK(status(asks_for::reading, from("127.0.0.1", {{proxied, ""}})) == 401);
    CHECK(status(asks_for::reading, from("127.0.0.1", {{proxied, "192.0.2.1"}, right})) == 200);
  }
}

TEST_CASE("only_the_token_changes_anything") {
  CHECK(status(asks_for::changing, from("127.0.0.1", {right, json})) == 200);
  CHECK(status(asks_for::changing, from("127.0.0.1", {{"authorization", "bearer " + token}, json})) == 200);
  for (const std::string& said : std::vector<std::string>{"", "Bearer", "Bearer ", "Bearer  " + token, "Basic " + token, token,
                                                          "Bearer " + token + "x", "Bearer " + token.substr(1), "Bearer " + token + " "}) {
    CAPTURE(said);
    CHECK(status(asks_for::changing, from("127.0.0.1", {{"Authorization", said}, json})) == 401);
  }
  CHECK(status(asks_for::changing, from("127.0.0.1", {right, right, json})) == 401);
  CHECK(status(asks_for::changing, from("127.0.0.1", {json})) == 401);
}

TEST_CASE("without_a_configured_token_nobody_changes_anything") {
  CHECK(status(asks_for::changing, from("127.0.0.1", {json}), configured("")) == 403);
  CHECK(status(asks_for::changing, from("127.0.0.1", {{"Authorization", "Bearer "}, json}), configured("")) == 403);
  const auto refused = serve::refusal(asks_for::changing, from("127.0.0.1"), configured(""));
  CHECK(refused->body.find("token_file") != std::string::npos);
}

TEST_CASE("a_change_is_json") {
  for (const char* type :
       {"application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", "application/json-patch+json", ""})
    CHECK(status(asks_for::changing, from("127.0.0.1", {right, {"Content-Type", type}})) == 415);
  CHECK(status(asks_for::changing, from("127.0.0.1", {right})) == 415);
  CHECK(status(asks_for::changing, from("127.0.0.1", {right, json, {"Content-Type", "text/plain"}})) == 415);
}

TEST_CASE("another_sites_page_asks_nothing") {
  for (const auto what : {asks_for::reading, asks_for::changing}) {
    for (const char* site : {"cross-site", "same-site", ""})
      CHECK(status(what, from("127.0.0.1", {right, json, {"Sec-Fetch-Site", site}})) == 403);
    for (const char* site : {"same-origin", "none"}) CHECK(status(what, from("127.0.0.1", {right, json, {"Sec-Fetch-Site", site}})) == 200);
    for (const char* origin :
         {"http://evil.example.com", "null", "", "http://localhost", "http://localhost:3000", "http://localhost:19187.evil.com"})
      CHECK(status(what, from("127.0.0.1", {right, json, {"Origin", origin}})) == 403);
    CHECK(status(what, from("127.0.0.1", {right, json, {"Origin", "http://localhost:19187"}})) == 200);
    CHECK(status(what, from("127.0.0.1", {right, json, {"Origin", "http://localhost:19187"}, {"Origin", "http://localhost:19187"}})) ==
          403);
  }
}
