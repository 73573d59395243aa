#include "agent/deployment/blame.hpp"

#include <doctest/doctest.h>

using namespace flipback;
using namespace flipback::deployment;

TEST_CASE("one_client_that_makes_the_errors_and_not_the_requests_is_named") {
  struct row {
    const char* what;
    error_shares seen;
    std::string says;
  };
  const std::vector<row> rows{
      {"a stranger",
       {30, {{"10.0.0.7", 1}}, {}, {{"a", 0.3}, {"10.0.0.7", 0.12}}},
       "one client (10.0.0.7) makes 100% of the errors, and 12% of the requests"},
      {"just enough", {30, {{"b", 0.8}}, {}, {{"b", 0.49}, {"a", 0.3}}}, "one client (b) makes 80% of the errors, and 49% of the requests"},
      {"too small to be among the largest",
       {30, {{"b", 0.9}}, {}, {{"a", 0.2}, {"c", 0.2}}},
       "one client (b) makes 90% of the errors, and few of the requests"},
      {"many have the errors", {30, {{"b", 0.79}}, {}, {{"a", 0.3}, {"b", 0.1}}}, ""},
      {"it makes half of the requests", {30, {{"b", 1}}, {}, {{"b", 0.5}, {"a", 0.4}}}, ""},
      {"one address has all requests", {30, {{"b", 1}}, {}, {{"b", 1}}}, ""},
      {"a proxy's address has nearly all requests, another one the errors", {30, {{"b", 1}}, {}, {{"a", 0.9}, {"b", 0.1}}}, ""},
      {"a log without clients", {30, {}, {{"GET /", 1}}, {}}, ""},
      {"nothing known", {}, ""},
  };
  for (const row& r : rows) {
    CAPTURE(r.what);
    CHECK(one_client_makes(r.seen) == r.says);
  }
}
