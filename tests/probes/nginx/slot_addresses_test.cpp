#include "probes/nginx/slot_addresses.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

using namespace flipback;
using nginx::slot_addresses;

namespace {

std::vector<slot_upstreams> slots_with(std::vector<std::string> blue, std::vector<std::string> green) {
  return {{"blue", std::move(blue)}, {"green", std::move(green)}};
}

void resolve(slot_addresses& in) {
  boost::asio::io_context loop(1);
  net::network network(loop.get_executor());
  boost::asio::co_spawn(loop, in.resolve(network), boost::asio::detached);
  loop.run();
}

constexpr int none = -1;
int slot_of(const slot_addresses& in, std::string_view upstream) {
  const auto slot = in.slot_of(upstream);
  return slot ? static_cast<int>(*slot) : none;
}

}  // namespace

TEST_CASE("an_upstream_is_known_however_it_is_written") {
  const slot_addresses in(slots_with({"127.0.0.1:8000", "unix:/run/blue.sock"}, {"localhost:8001", "[0:0::1]:8002", "10.0.0.1"}));
  struct row {
    const char* upstream;
    int slot;
  };
  const row rows[] = {
      {"127.0.0.1:8000", 0},
      {"unix:/run/blue.sock", 0},
      {"127.0.0.1:8001", 1},
      {"[::1]:8001", 1},
      {"[::1]:8002", 1},
      {"10.0.0.1:80", 1},
      {"localhost:8000", 0},
      {"127.0.0.1:80", none},
      {"127.0.0.1", none},
      {"unix:/run/other.sock", none},
      {"", none},
      {"blue", none},
      {"[", none},
  };
  for (const row& r : rows) {
    CAPTURE(r.upstream);
    CHECK(slot_of(in, r.upstream) == r.slot);
  }
}

TEST_CASE("what_two_slots_claim_is_of_neither") {
  const slot_addresses in(slots_with({"127.0.0.1:8000"}, {"localhost:8000"}));
  CHECK(slot_of(in, "127.0.0.1:8000") == none);
  CHECK(in.owner_of("127.0.0.1:8000").is_a_slots);
  CHECK(slot_of(in, "[::1]:8000") == 1);
}

TEST_CASE("a_group_is_of_the_slot_that_has_all_its_servers") {
  slot_addresses in(slots_with({"127.0.0.1:8000", "127.0.0.1:8010"}, {"green"}));
  in.learn({{"blue", {"127.0.0.1:8000", "localhost:8010"}},
            {"both", {"127.0.0.1:8000", "127.0.0.1:8001"}},
            {"with_a_stranger", {"127.0.0.1:9000", "127.0.0.1:8000"}},
            {"other", {"127.0.0.1:9000"}},
            {"green", {"unix:/run/green.sock"}},
            {"empty", {}}});
  CHECK(slot_of(in, "blue") == 0);
  CHECK(slot_of(in, "both") == none);
  CHECK(in.owner_of("both").is_a_slots);
  CHECK(slot_of(in, "with_a_stranger") == none);
  CHECK(in.owner_of("with_a_stranger").is_a_slots);
  CHECK(slot_of(in, "other") == none);
  CHECK_FALSE(in.owner_of("other").is_a_slots);
  CHECK(slot_of(in, "green") == 1);
  CHECK(slot_of(in, "unix:/run/green.sock") == 1);
  CHECK(slot_of(in, "empty") == none);
}

TEST_CASE("a_group_of_a_configuration_that_nginx_does_not_run_is_of_no_slot") {
  slot_addresses in(slots_with({"127.0.0.1:8000"}, {"127.0.0.1:8001"}));
  const slot_addresses without = in;
  in.learn({{"api", {"127.0.0.1:8000"}}});
  CHECK_FALSE(in.has_same_groups(without));
  in.believe_groups(false);
  CHECK(slot_of(in, "api") == none);
  CHECK(in.owner_of("api").is_a_slots);
  CHECK(slot_of(in, "127.0.0.1:8000") == 0);
  in.believe_groups(true);
  CHECK(slot_of(in, "api") == 0);
  in.learn({{"api", {"127.0.0.1:8001"}}});
  CHECK(slot_of(in, "api") == 1);
}

TEST_CASE("the_servers_of_a_slots_own_group_are_looked_up") {
  slot_addresses in(slots_with({"blue"}, {"green"}));
  in.learn({{"blue", {"LOCALHOST:8000"}}, {"green", {"127.0.0.1:8001"}}});
  resolve(in);
  CHECK(slot_of(in, "127.0.0.1:8000") == 0);
}

TEST_CASE("names_are_looked_up_since_nginx_logs_addresses") {
  slot_addresses in(slots_with({"ip6-localhost:8000"}, {"no-such-host.invalid:8001"}));
  resolve(in);
  CHECK(slot_of(in, "ip6-localhost:8000") == 0);
  CHECK(slot_of(in, "no-such-host.invalid:8001") == 1);
}

TEST_CASE("the_name_of_a_host_that_requests_are_passed_to_is_a_group_but_no_block_of_a_slot") {
  slot_addresses in(slots_with({"127.0.0.1:8000"}, {"localhost"}));
  in.learn({{"localhost", {"localhost:8000"}, false}});
  CHECK(slot_of(in, "[::1]:80") == 1);
  CHECK(slot_of(in, "127.0.0.1:8000") == 0);
  slot_addresses alone(slots_with({"127.0.0.1:8000"}, {"127.0.0.1:8001"}));
  alone.learn({{"localhost", {"localhost:8000"}, false}});
  CHECK(slot_of(alone, "localhost") == 0);
  alone.learn({{"localhost", {"localhost:8000", "localhost:8001"}, false}});
  CHECK(slot_of(alone, "localhost") == none);
  CHECK(alone.owner_of("localhost").is_a_slots);
}
