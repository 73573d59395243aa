#include "agent/deployment/slot_addresses.hpp"

#include "tests/agent/rollback/running_nginx.hpp"

#include <doctest/doctest.h>

using namespace flipback;
using deployment::slot_addresses;

namespace {

std::vector<config::slot> slots_with(std::vector<std::string> blue, std::vector<std::string> green) {
  std::vector<config::slot> slots(2);
  slots[0].upstreams = std::move(blue);
  slots[1].upstreams = std::move(green);
  return slots;
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
  CHECK(slot_of(in, "[::1]:8000") == 1);
}

TEST_CASE("a_group_is_of_the_slot_that_has_all_its_servers") {
  slot_addresses in(slots_with({"127.0.0.1:8000", "127.0.0.1:8010"}, {"green"}));
  in.learn({{"blue", {"127.0.0.1:8000", "localhost:8010"}},
            {"both", {"127.0.0.1:8000", "127.0.0.1:8001"}},
            {"other", {"127.0.0.1:9000"}},
            {"green", {"unix:/run/green.sock"}},
            {"empty", {}}});
  CHECK(slot_of(in, "blue") == 0);
  CHECK(slot_of(in, "both") == none);
  CHECK(slot_of(in, "other") == none);
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
  CHECK(slot_of(in, "127.0.0.1:8000") == 0);
  in.believe_groups(true);
  CHECK(slot_of(in, "api") == 0);
  in.learn({{"api", {"127.0.0.1:8001"}}});
  CHECK(slot_of(in, "api") == 1);
}

TEST_CASE("the_servers_of_a_slots_own_group_are_looked_up") {
  boost::asio::io_context loop(1);
  net::network network(loop.get_executor());
  slot_addresses in(slots_with({"blue"}, {"green"}));
  in.learn({{"blue", {"LOCALHOST:8000"}}, {"green", {"127.0.0.1:8001"}}});
  const auto resolved = [&]() -> boost::asio::awaitable<bool> {
    co_await in.resolve(network);
    co_return true;
  };
  CHECK(testing::finished(loop, resolved()));
  CHECK(slot_of(in, "127.0.0.1:8000") == 0);
}

TEST_CASE("names_are_looked_up_since_nginx_logs_addresses") {
  boost::asio::io_context loop(1);
  net::network network(loop.get_executor());
  slot_addresses in(slots_with({"ip6-localhost:8000"}, {"no-such-host.invalid:8001"}));
  const auto resolved = [&]() -> boost::asio::awaitable<bool> {
    co_await in.resolve(network);
    co_return true;
  };
  CHECK(testing::finished(loop, resolved()));
  CHECK(slot_of(in, "ip6-localhost:8000") == 0);
  CHECK(slot_of(in, "no-such-host.invalid:8001") == 1);
}
