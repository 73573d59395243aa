#include "probes/airflow/visit.hpp"

#include <doctest/doctest.h>

using namespace flipback;
using namespace std::chrono_literals;

TEST_CASE("a_token_says_how_long_it_is_good_for_where_it_is_one_that_says_so") {
  // Claims as Airflow 3.1 gives them: iat 1795727276, exp 1795813676.
  CHECK(airflow::lifetime_of("eyJhbGciOiJIUzUxMiJ9.eyJzdWIiOiJhIiwiZXhwIjoxNzk1ODEzNjc2LCJpYXQiOjE3OTU3MjcyNzZ9.c2ln") == 24h);
  struct example {
    std::string_view token;
    std::string_view because;
  };
  for (const example& e : {
           example{"", "empty"},
           example{"opaque", "no parts"},
           example{"one.two", "no signature"},
           example{"a.!!!.c", "no base64url"},
           example{"a.bm90IGpzb24.c", "no JSON"},
           example{"a.eyJleHAiOjV9.c", "no iat"},
           example{"a.eyJleHAiOjUsImlhdCI6NX0.c", "ended when it began"},
           example{"a.eyJleHAiOjFlMzAsImlhdCI6NX0.c", "no end that a duration holds"},
       }) {
    CAPTURE(e.because);
    CHECK_FALSE(airflow::lifetime_of(e.token));
  }
}
