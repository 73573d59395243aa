#include "probes/access_log/error_memory.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <random>

using namespace flipback;
using namespace flipback::access_log;
using namespace std::chrono_literals;

TEST_CASE("a_few_keys_are_counted_exactly") {
  heavy_hitters counted;
  for (int i = 0; i < 30; ++i) counted.add(i % 3 == 0 ? "a" : "b");
  CHECK(counted.total() == 30);
  CHECK(counted.largest(5) == std::vector<std::pair<std::string, std::uint64_t>>{{"b", 20}, {"a", 10}});
}

TEST_CASE("among_any_number_of_keys_the_large_ones_are_found_within_the_bound") {
  std::mt19937 chance(7);
  std::uint64_t truly = 0;
  heavy_hitters all;
  for (int part = 0; part < 30; ++part) {
    heavy_hitters of_part;
    for (int i = 0; i < 2000; ++i) {
      const bool crawler = chance() % 10 < 3;
      truly += crawler ? 1 : 0;
      of_part.add(crawler ? "crawler" : fmt::format("client-{}", chance() % 100'000));
    }
    all.merge(of_part);
  }
  const auto largest = all.largest(1000);
  CHECK(largest.size() <= heavy_hitters::most_kept);
  REQUIRE(largest.front().first == "crawler");
  CHECK(largest.front().second <= truly);
  CHECK(largest.front().second >= truly - all.total() / heavy_hitters::most_kept);
  CHECK(all.total() == 60'000);
}

TEST_CASE("errors_are_remembered_for_five_minutes_and_none_from_before_a_cutover") {
  const instant start{1000h};
  error_memory memory;
  for (int second = 0; second < 600; ++second) {
    pool seen;
    seen.failing_requests.add(second < 500 ? "GET /old" : "GET /new");
    seen.failing_clients.add("10.0.0.7");
    memory.add(seen, start + std::chrono::seconds(second), second);
  }
  const error_shares all = memory.since(start);
  CHECK(all.errors >= 300);
  CHECK(all.errors <= 320);
  CHECK(all.clients.front().share == 1);
  const error_shares newer = memory.since(start + 500s);
  CHECK(newer.errors == 100);
  CHECK(newer.requests.front().of == "GET /new");
  CHECK(memory.since(start + 600s).errors == 0);
}

TEST_CASE("who_asks_at_all_is_remembered_beside_who_has_the_errors_in_bounded_memory") {
  const instant start{1000h};
  error_memory memory;
  std::mt19937 chance(7);
  for (int second = 0; second < 400; ++second) {
    pool seen;
    for (int i = 0; i < 100; ++i) seen.clients.add(i < 25 ? std::string("10.0.0.7") : fmt::format("client-{}", chance() % 100'000));
    if (second == 399) {
      seen.failing_requests.add("POST /");
      seen.failing_clients.add("10.0.0.7");
    }
    memory.add(seen, start + std::chrono::seconds(second), 0);
  }
  const error_shares all = memory.since(start);
  CHECK(all.errors == 1);
  CHECK(all.requesters.size() <= 5);
  REQUIRE(all.requesters.front().of == "10.0.0.7");
  CHECK(all.requesters.front().share <= 0.25);
  CHECK(all.requesters.front().share >= 0.25 - 1.0 / heavy_hitters::most_kept);
  // A cutover in the middle of a part: who asked just after it is known.
  CHECK_FALSE(memory.since(start + 398s).requesters.empty());
  CHECK(memory.since(start + 500s).requesters.empty());
}
