#include "tests/agent/rollback/switches/configured.hpp"

#include <doctest/doctest.h>

using namespace flipback;
using namespace flipback::test;

TEST_CASE("each_kind_of_switch_is_made_and_only_a_command_needs_no_reload") {
  for (const auto kind : {config::switch_kind::site, config::switch_kind::text, config::switch_kind::link, config::switch_kind::command}) {
    boost::asio::io_context loop_of_it(1);
    const config::configuration settings = two_slots(kind);
    const auto made = rollback::make_switch(loop_of_it.get_executor(), settings);
    REQUIRE(made);
    CHECK(made->needs_reload() == (kind != config::switch_kind::command));
  }
}
