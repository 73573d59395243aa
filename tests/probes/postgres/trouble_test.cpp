#include "probes/postgres/trouble.hpp"

#include <doctest/doctest.h>

using namespace flipback;

TEST_CASE("a_pooler_whose_server_is_down_is_told_from_a_server_that_refuses") {
  const auto poolers = postgres::connection_trouble(
      "connection to server at \"127.0.0.1\", port 6432 failed: FATAL:  08P01: server login has been failing, try again later "
      "(server_login_retry)\n",
      {});
  CHECK(poolers.why == reason::unreachable);
  CHECK(poolers.says ==
        "a pooler answers, and the server behind it does not: server login has been failing, try again later (server_login_retry) (08P01)");
  CHECK(postgres::refused("08P01", "query_wait_timeout", {}).why == reason::unreachable);
  CHECK(postgres::refused("08P01", "no such database: app", {}).why == reason::absent);
  CHECK(postgres::refused("08P01", "no more connections allowed (max_client_conn)", {}).why == reason::saturated);
  CHECK(postgres::refused("08P01", "invalid frontend message type 88", {}).why == reason::bad_status);
  CHECK(postgres::refused("08P01", "SASL authentication failed", {}).why == reason::unauthorised);
  CHECK(postgres::tells_wrong_password("connection to server failed: FATAL:  08P01: SASL authentication failed\n"));
  CHECK(!postgres::tells_wrong_password("connection to server failed: FATAL:  28000: no pg_hba.conf entry\n"));
  CHECK(postgres::refused("28P01", "server login failed: not PgBouncer's", {}).why == reason::unauthorised);
}

TEST_CASE("of_several_addresses_one_that_answered_tells_more_than_one_where_nobody_listens") {
  const std::string nobody =
      "connection to server at \"localhost\" (::1), port 5432 failed: Connection refused\n\tIs the server running on that host and "
      "accepting TCP/IP connections?\n";
  const std::string other =
      "connection to server at \"localhost\" (127.0.0.1), port 5432 failed: server certificate for \"db\" does not "
      "match host name \"localhost\"\n";
  for (const std::string& said : {other + nobody, nobody + other}) CHECK(postgres::connection_trouble(said, {}).why == reason::bad_tls);
  CHECK(postgres::connection_trouble(nobody + nobody, {}).why == reason::refused);
}

TEST_CASE("what_a_host_is_called_tells_nothing_of_its_trouble") {
  CHECK(postgres::connection_trouble("connection to server at \"SSL.unexpected\" (10.0.0.1), port 5432 failed: Connection refused\n", {})
            .why == reason::refused);
}
