#include "agent/deployment/tracker.hpp"

#include "agent/deployment/memory.hpp"

#include <doctest/doctest.h>
#include <fmt/ranges.h>

using namespace flipback;
using namespace flipback::deployment;
using kind = identity_answer::kind;
using std::chrono::seconds;

namespace {

/// A world of two slots, seen once a second; what is told, by kind.
struct world {
  explicit world(std::string stable = "previous") : t({"blue", "green"}, std::move(stable)) {}

  static identity_answer answer(const std::string& release) {
    if (release.empty()) return {};
    if (release == "502") return {kind::failing, "", 502, "answered 502"};
    return {kind::identified, release, 200, "answered"};
  }

  std::string see(const std::string& door, const std::string& blue, const std::string& green, std::optional<std::size_t> site) {
    ++now;
    sighting s;
    s.front_door = answer(door);
    for (const std::string& release : {blue, green}) {
      slot_answer a;
      a.identity = answer(release);
      a.healthy = a.identity.is == kind::identified;
      s.slots.push_back(a);
    }
    s.site_of = site;
    s.at = instant(seconds(1000 + now));
    s.wall = wall_time(seconds(5000 + now));
    std::vector<std::string> kinds;
    for (const event& e : t.see(s, file_changed)) kinds.push_back(e.kind.substr(e.kind.find('.') + 1));
    return fmt::format("{}", fmt::join(kinds, " "));
  }

  tracker t;
  int now = 0;
  std::optional<wall_time> file_changed;
};

constexpr std::size_t blue = 0;
constexpr std::size_t green = 1;

}  // namespace

TEST_CASE("an_old_worker_s_last_answer_is_no_baseline") {
  world w;
  CHECK(w.see("v2", "v1", "v2", blue) == "");  // the file is blue's already
  CHECK(w.see("v1", "v1", "v2", blue) == "baseline");
  CHECK(w.t.live()->slot == blue);
  world other;
  CHECK(other.see("v2", "v1", "v2", std::nullopt) == "");
  CHECK(other.see("v2", "v1", "v2", std::nullopt) == "baseline");
}

TEST_CASE("the_first_sight_is_a_baseline_and_opens_nothing") {
  world w;
  CHECK(w.see("v1", "v1", "v2", blue) == "baseline");
  CHECK(w.t.live()->slot == blue);
  CHECK_FALSE(w.t.newest_cutover().has_value());
  CHECK_FALSE(w.t.stable().has_value());
}

TEST_CASE("a_cutover_is_believed_at_once_where_file_and_front_door_agree") {
  world w;
  w.see("v1", "v1", "v2", blue);
  CHECK(w.see("v2", "v1", "v2", green) == "cutover");
  CHECK(*w.t.stable() == placed{blue, "v1"});
}

TEST_CASE("the_front_door_alone_must_say_it_twice") {
  world w;
  w.see("v1", "v1", "v2", blue);
  CHECK(w.see("v2", "v1", "v2", std::nullopt) == "");
  CHECK(w.see("v2", "v1", "v2", std::nullopt) == "cutover");
}

TEST_CASE("a_dead_release_is_a_cutover_by_its_file") {
  world w;
  w.see("v1", "v1", "", blue);
  CHECK(w.see("502", "v1", "", green) == "");
  CHECK(w.see("502", "v1", "", green) == "cutover");
  CHECK(w.t.live()->slot == green);
  CHECK(*w.t.stable() == placed{blue, "v1"});
  CHECK(w.see("v2", "v1", "v2", green) == "");  // now it answers: its name is learned, nothing was cut over
  CHECK(w.t.live()->release == "v2");
  CHECK(*w.t.stable() == placed{blue, "v1"});
}

TEST_CASE("a_release_that_dies_is_no_cutover") {
  world w;
  w.see("v1", "v1", "v2", blue);
  for (int i = 0; i < 5; ++i) CHECK(w.see("502", "", "v2", blue) == "");
  CHECK(w.t.live()->slot == blue);
}

TEST_CASE("a_redeploy_in_place_has_no_way_back") {
  world w;
  w.see("v1", "v1", "v2", blue);
  CHECK(w.see("v3", "v3", "v2", blue) == "cutover no_way_back");
  CHECK_FALSE(w.t.stable().has_value());
}

TEST_CASE("a_stable_slot_that_was_given_another_release_is_no_way_back") {
  world w;
  w.see("v1", "v1", "v2", blue);
  w.see("v2", "v1", "v2", green);
  w.see("v2", "v9", "v2", green);
  CHECK_FALSE(w.t.stable().has_value());
  CHECK(w.t.no_way_back() == "blue no longer has v1, but v9");
}

TEST_CASE("our_own_rollback_is_no_cutover") {
  world w;
  w.see("v1", "v1", "v2", blue);
  w.see("v2", "v1", "v2", green);
  w.t.rolled_back_to(blue, "v1");
  CHECK(w.see("v1", "v1", "v2", blue) == "");
  CHECK(w.t.no_way_back() == "blue is live already");
}

TEST_CASE("witnesses_that_disagree_are_drift_said_once") {
  world w;
  w.see("v1", "v1", "v2", blue);
  CHECK(w.see("v1", "v1", "v2", green) == "");
  CHECK(w.see("v1", "v1", "v2", green) == "");
  CHECK(w.see("v1", "v1", "v2", green) == "drift");
  CHECK(w.see("v1", "v1", "v2", green) == "");
}

TEST_CASE("identities_that_alternate_are_mixed_and_never_a_cutover") {
  world w;
  w.see("v1", "v1", "v2", std::nullopt);
  std::string told;
  for (int i = 0; i < 8; ++i) told += w.see(i % 2 == 0 ? "v2" : "v1", "v1", "v2", std::nullopt);
  CHECK(told == "driftmixed");  // the live file is no slot's: said too
  CHECK(w.t.mixed());
  for (int i = 0; i < 10; ++i) w.see("v1", "v1", "v2", blue);
  CHECK_FALSE(w.t.mixed());
}

TEST_CASE("equal_identities_are_said_and_the_file_decides") {
  world w;
  CHECK(w.see("v1", "v1", "v1", blue) == "equal baseline");
  CHECK(w.t.live()->slot == blue);
}

TEST_CASE("what_is_remembered_survives_its_text") {
  const std::vector<std::string> names{"blue", "green"};
  const remembered before{{green, "v2"}, wall_time(seconds(5000)), cutover{{blue, "v1"}, {green, "v2"}, {}, wall_time(seconds(4000))}};
  const auto after = remembered_from(to_text(before, names), names);
  REQUIRE(after.has_value());
  CHECK(after->live == before.live);
  CHECK(after->newest->from == before.newest->from);
  CHECK(after->newest->wall == before.newest->wall);
  CHECK_FALSE(remembered_from("garbage", names).has_value());
  CHECK_FALSE(remembered_from(R"({"live":"red"})", names).has_value());
}

TEST_CASE("after_a_restart_the_same_world_goes_on_and_another_one_was_cut_over") {
  const remembered record{{blue, "v1"}, wall_time(seconds(4990)), std::nullopt};
  world same;
  same.t.recall(record, instant(seconds(1000)), wall_time(seconds(5000)));
  CHECK(same.see("v1", "v1", "v2", blue) == "baseline");
  CHECK_FALSE(same.t.newest_cutover().has_value());
  world other;
  other.file_changed = wall_time(seconds(4995));
  other.t.recall(record, instant(seconds(1000)), wall_time(seconds(5000)));
  CHECK(other.see("v2", "v1", "v2", green) == "cutover");
  CHECK(other.t.newest_cutover()->wall == wall_time(seconds(4995)));
  CHECK(*other.t.stable() == placed{blue, "v1"});
}
