// What an earlier life of the agent, or the configuration before a reload, has left to be done.

#include "agent/deployment/facts.hpp"
#include "tests/agent/deployment/story.hpp"

using namespace flipback;
using namespace flipback::deployment;

TEST_CASE("a_journal_that_was_not_closed_yet_is_closed_by_whoever_comes_after") {
  story w;
  started with;
  with.closing = "1700000000000";
  w.take(with);
  REQUIRE(w.count<close_journal>() == 1);
  CHECK(w.newest<close_journal>()->id == "1700000000000");
  CHECK(w.s.closing == "1700000000000");
  w.take(journal_closed{"1700000000000"});
  CHECK_FALSE(w.s.closing);
  story fresh;
  fresh.take(started{});
  CHECK(fresh.count<close_journal>() == 0);
}

TEST_CASE("rules_are_told_that_a_cutover_is_recalled_where_an_earlier_life_has_seen_it_and_only_there") {
  story w;
  w.green_is_put_live();
  started with;
  with.recalled = what_would_be_recalled(w.s, w.now);
  w.s = {};
  w.passes(5s);
  w.take(with);
  w.look(3);
  REQUIRE(w.newest<start_rules_anew>());
  CHECK(w.newest<start_rules_anew>()->recalled);
  w.forget();
  w.flip(blue);
  REQUIRE(w.newest<start_rules_anew>());
  CHECK_FALSE(w.newest<start_rules_anew>()->recalled);
}
