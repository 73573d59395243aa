#include "agent/init/compose.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace flipback;
using init::compose_service;

namespace {

std::vector<compose_service> services(const std::string& text, const config::environment& known = {}) {
  const auto read = init::compose_services(text, known);
  REQUIRE_MESSAGE(read.has_value(), read.error());
  return *read;
}

/// Of a service with these ports, those that are told: "127.0.0.1:8000 to 80, …".
std::string ports(const std::string& written, const config::environment& known = {}) {
  std::string all;
  const auto read = services("services: { a: { ports: [" + written + "] } }", known);
  for (const init::published_port& p : read.front().ports) {
    if (p.port != 0) all += (all.empty() ? "" : ", ") + p.address + ":" + std::to_string(p.port) + " to " + std::to_string(p.target);
  }
  return all;
}

/// What is said of the container's port 6379 that is published so: "127.0.0.1:8004", "at a port that Docker chooses", "not at all".
std::string redis_at(const std::string& written, const config::environment& known = {}) {
  const auto read = services("services: { a: { ports: [" + written + "] } }", known);
  const init::published_port* const found = read.front().publishing(6379);
  if (found == nullptr) return "not at all";
  return found->port == 0 ? found->why_untold : found->address + ":" + std::to_string(found->port + (6379 - found->target));
}

}  // namespace

TEST_CASE("a_port_is_published_in_either_form") {
  CHECK(ports("'8000:80'") == "127.0.0.1:8000 to 80");
  CHECK(ports("'10.0.0.1:8000:80'") == "10.0.0.1:8000 to 80");
  CHECK(ports("'[::1]:8000:80'") == "::1:8000 to 80");
  CHECK(ports("'0.0.0.0:8000:80/tcp'") == "127.0.0.1:8000 to 80");
  CHECK(ports("{ target: 80, published: 8000 }, { target: 81, published: '8001', host_ip: 10.0.0.1 }") ==
        "127.0.0.1:8000 to 80, 10.0.0.1:8001 to 81");
}

TEST_CASE("a_port_that_this_host_does_not_know_is_none") {
  for (const char* none : {"'80'", "80", "'8000:80/udp'", "'8000-8001:80-82'", "'0:80'", "'70000:80'", "'x:80'", "[]", "{}", "null", "''",
                           "{ target: 80 }", "{ target: 80, published: 8000, protocol: udp }", "'${UNSET}:80'", "'$UNSET:80'"}) {
    CAPTURE(none);
    CHECK(ports(none).empty());
  }
}

TEST_CASE("a_range_publishes_each_of_its_ports") {
  CHECK(redis_at("'8000-8010:6375-6385'") == "127.0.0.1:8004");
  CHECK(redis_at("'10.0.0.1:6379-6380:6379-6380/tcp'") == "10.0.0.1:6379");
  CHECK(redis_at("{ target: 6379, published: '7000' }") == "127.0.0.1:7000");
  CHECK(redis_at("'1-65535:1-65535'") == "127.0.0.1:6379");
  CHECK(redis_at("'8000-8003:6375-6378'") == "not at all");
  CHECK(redis_at("'8000-8010:6375-6385/udp'") == "not at all");
}

TEST_CASE("a_port_that_is_published_somewhere_is_not_called_unpublished") {
  for (const char* chosen : {"'6379'", "6379", "'6370-6380'", "'0:6379'", "{ target: 6379 }", "{ target: 6379, mode: host }"}) {
    CAPTURE(chosen);
    CHECK(redis_at(chosen) == "at a port that Docker chooses");
  }
  CHECK(redis_at("'8000-8010:6379'") == "at one of 8000-8010, which Docker chooses");
  CHECK(redis_at("{ target: 6379, published: '8000-8010' }") == "at one of 8000-8010, which Docker chooses");
  CHECK(redis_at("'70000:6379'") == "at \"70000\", which can't be read");
  CHECK(redis_at("'x'") == "as \"x\", which can't be read");
  const std::string by_a_variable = "by a variable that is set in no env file which is read";
  CHECK(redis_at("'${UNSET}:6379'") == by_a_variable);
  CHECK(redis_at("{ target: 6379, published: '${UNSET}' }") == by_a_variable);
  CHECK(redis_at("'${UNSET}:1', '7000:6379'") == "127.0.0.1:7000");  // what is told comes first
}

TEST_CASE("variables_are_filled_in_from_what_is_known_and_from_their_defaults") {
  CHECK(ports("'${PORT:-8000}:80'") == "127.0.0.1:8000 to 80");
  CHECK(ports("'${PORT-8000}:80'") == "127.0.0.1:8000 to 80");
  CHECK(ports("'${PORT:-8000}:80'", {{"PORT", "9000"}}) == "127.0.0.1:9000 to 80");
  CHECK(ports("'$PORT:80'", {{"PORT", "9000"}}) == "127.0.0.1:9000 to 80");
  CHECK(services("services: { a: { image: 'a$$b' } }").front().image == "a$b");
  CHECK(ports("'${PORT:?must be set}:80'", {{"PORT", "9000"}}) == "127.0.0.1:9000 to 80");
  CHECK(services("services: { a: { image: '${IMAGE}' } }").front().image.empty());
}

TEST_CASE("what_is_merged_counts") {
  const auto read =
      services("x: &x { image: redis, ports: ['1:6379'] }\nservices: { a: { <<: *x }, b: { <<: [{ c: d }, *x], image: mine } }");
  REQUIRE(read.size() == 2);
  CHECK(read[0].image == "redis");
  CHECK(read[1].image == "mine");
  CHECK(read[1].ports.size() == 1);
}

TEST_CASE("what_is_no_compose_file_is_said") {
  CHECK(init::compose_services("- a", {}).error() == "has no services");
  CHECK(init::compose_services("", {}).error() == "has no services");
  CHECK(init::compose_services("services: []", {}).error() == "has no services");
  CHECK(init::compose_services("a: [\n", {}).error().starts_with("is no YAML: line 2: "));
  CHECK(init::compose_services(std::string(100'000, '['), {}).error().starts_with("is no YAML: line 1: "));
}
