#include "agent/serve/standing_text.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <algorithm>

using namespace flipback;
using deployment::standing;

namespace {

std::string line(const standing& s, const std::string& word) {
  const auto lines = serve::as_lines(s);
  const auto found = std::ranges::find(lines, word, [](const auto& l) { return l.first; });
  return found == lines.end() ? "" : found->second;
}

standing blue_is_live() {
  standing s;
  s.live = s.intent = s.users = "blue";
  s.release = "v1";
  s.effect = deployment::agreement::agreed;
  return s;
}

}  // namespace

TEST_CASE("status_says_beside_what_is_live_where_users_are") {
  standing s = blue_is_live();
  CHECK(line(s, "live") == "blue with v1");
  CHECK(line(s, "switch") == "");
  s.since = "since the cutover at 2026-11-30 14:03:05 UTC";
  CHECK(line(s, "proven") == s.since);
  s.effect = deployment::agreement::failover;
  s.effect_says = "failover: users reach green";
  s.users = "green";
  CHECK(line(s, "live") == "blue with v1 (failover: users reach green)");
  CHECK(line(s, "proven") == "");
  const auto page = serve::as_object(s, {});
  CHECK(page.at("effect").as_string() == "failover");
  CHECK(page.at("effect_says").as_string() == "failover: users reach green");
  CHECK(page.at("users").as_string() == "green");
}

TEST_CASE("status_says_what_is_under_way") {
  standing s = blue_is_live();
  CHECK(line(s, "flip") + line(s, "rollback") == "");
  s.flipping = "to green with v2";
  CHECK(line(s, "flip") == "under way, to green with v2");
  CHECK(serve::as_object(s, {}).at("flipping").as_string() == "to green with v2");
  CHECK(serve::as_object(s, {}).at("rolling").as_string() == "");
}

TEST_CASE("status_says_why_the_switch_names_no_slot") {
  standing s = blue_is_live();
  s.intent = "";
  s.intent_says = "permission denied";
  CHECK(line(s, "switch") == "can't be read: permission denied");
  s.names_none = true;
  s.intent_says = "default says what no slot's file says";
  CHECK(line(s, "switch") == "names no slot: default says what no slot's file says");
  CHECK(serve::as_object(s, {}).at("intent_says").as_string() == "default says what no slot's file says");
  s.names_none = false;
  s.effect_is_intent = true;
  s.intent_says = "no switch can be read from here: what users reach stands for it";
  CHECK(line(s, "switch") == "no switch can be read from here: what users reach stands for it");
}

TEST_CASE("status_says_how_many_attempts_have_failed_and_when_the_next_is") {
  standing s = blue_is_live();
  CHECK(line(s, "attempts") == "");
  CHECK(serve::as_object(s, {}).at("failed_attempts").to_number<int>() == 0);
  s.failed = deployment::failed_attempts{3, {}, "error-rate", "the command ended with status 7", {}};
  s.failed_says = "attempt 3 of error-rate failed at 14:03:05 UTC, next at 14:03:25 UTC";
  s.next_attempt_in = std::chrono::seconds(12);
  CHECK(line(s, "attempts") == s.failed_says + " (the command ended with status 7)");
  const auto page = serve::as_object(s, {});
  CHECK(page.at("failed_attempts").to_number<int>() == 3);
  CHECK(page.at("failed_attempts_says").as_string() == s.failed_says);
  CHECK(page.at("next_attempt_in").to_number<double>() == 12);
}

TEST_CASE("status_says_what_ready_notes") {
  standing s = blue_is_live();
  s.notes = {"default has 2 names"};
  s.lacks = {{false, "nothing shows which slot users reach", "set front_door identity"}};
  CHECK(line(s, "note") == "default has 2 names");
  CHECK(line(s, "lacking") == "nothing shows which slot users reach; set front_door identity");
  const auto page = serve::as_object(s, {});
  CHECK(page.at("notes").as_array().at(0).as_string() == "default has 2 names");
  CHECK_FALSE(page.at("not_ready").as_array().at(0).at("blocking").as_bool());
}

TEST_CASE("status_says_that_a_rollback_is_ready_once_it_was_looked") {
  standing s = blue_is_live();
  CHECK(line(s, "ready") == "not looked yet");
  CHECK(serve::as_object(s, {}).at("ready").as_string() == "not looked yet");
  s.lacks = {{true, "the live file can't be written", ""}};
  CHECK(line(s, "ready") == "");
  CHECK(serve::as_object(s, {}).at("ready").as_string() == "no");
  s.ready_looked = true;
  s.lacks.front().blocking = false;
  CHECK(line(s, "ready") == "yes");
  CHECK(serve::as_object(s, {}).at("ready").as_string() == "yes");
}
