#include "agent/deployment/live_slot.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

using namespace flipback;
using namespace flipback::deployment;

TEST_CASE("what_the_front_door_answers_is_held_against_the_live_slot_only_where_it_is_the_slots_own") {
  constexpr slot_number blue = 0;
  constexpr slot_number green = 1;
  const auto answers = [](unsigned status) {
    return reply{status < 500 ? reply::kind::anonymous : reply::kind::failing, status, {}, {}, std::to_string(status)};
  };
  struct row {
    std::string name;
    reply door;
    std::optional<bool> serves;
    std::function<void(sighting&)> is_so = [](sighting&) {};
  };
  const auto passed_to = [](slot_number slot) { return [slot](sighting& seen) { seen.log.our_question = slot; }; };
  const auto is_down = [&](slot_number slot) { return [=](sighting& seen) { seen.slots[slot] = {false, answers(500), "500"}; }; };
  const std::vector<row> table{
      {"nothing answers", {}, std::nullopt},
      {"nothing answers, and the slot fails", {}, std::nullopt, is_down(green)},
      {"200", answers(200), true},
      {"404", answers(404), true},
      {"500, and the slot is well", answers(500), std::nullopt},
      {"503, and the slot is well", answers(503), std::nullopt},
      {"502", answers(502), false},
      {"504", answers(504), false},
      {"500, and our question went to the slot", answers(500), false, passed_to(green)},
      {"503, and our question went to the other slot", answers(503), std::nullopt, passed_to(blue)},
      {"500, and the slot itself fails", answers(500), false, is_down(green)},
      {"500, and the other slot fails", answers(500), std::nullopt, is_down(blue)},
  };
  for (const row& r : table) {
    CAPTURE(r.name);
    sighting seen;
    seen.front_door = r.door;
    seen.slots.assign(2, {true, answers(200), "200"});
    r.is_so(seen);
    CHECK(live_slot_serves(seen, green) == r.serves);
  }
}
