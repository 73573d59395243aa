#include "tests/agent/deciding_night.hpp"

// A shared outage is no release's fault, though the windows remember it for longer than it lasts; a bad release is, and is not waited for.

using namespace flipback;
using namespace flipback::deciding_night;

namespace {

constexpr seconds window = 15min;
constexpr int variants = 20;

/// Both slots fail alike; the stable one is well again first.
struct outage {
  seconds from;
  seconds lasts;
  seconds later;  ///< that the live slot is well again
  double share;
  int each_second;
  bool sick;  ///< whether the slots' health says it, too

  [[nodiscard]] std::vector<fault> faults() const {
    return {{blue, from, from + lasts, share, sick}, {green, from, from + lasts + later, share, sick}};
  }
  [[nodiscard]] std::string text() const {
    return fmt::format("from {}s on, {}s and {}s more on green, {:.0f}% of {} a second, health {}", from.count(), lasts.count(),
                       later.count(), 100 * share, each_second, sick ? "sick" : "well");
  }
};

outage drawn(seconds lasts, int least_share, std::mt19937& chance) {
  const auto any = [&](int least, int most) { return std::uniform_int_distribution(least, most)(chance); };
  return {seconds(any(20, 700)), lasts, seconds(any(1, 15)), any(least_share, 100) / 100.0, any(5, 40), any(0, 1) == 1};
}

}  // namespace

TEST_CASE("a_shared_outage_that_ends_on_the_stable_slot_first_flips_nothing") {
  std::mt19937 chance(20261129);
  int flipped = 0;
  for (const seconds lasts : {20s, 60s, 180s, 400s}) {
    for (int i = 0; i < 3 * variants; ++i) {
      const int least_share = i < variants ? 80 : 8;  // all but dead; a pool that refuses some
      const outage o = drawn(lasts, least_share, chance);
      night both(o.faults(), o.each_second, static_cast<unsigned>(chance()));
      const auto found = both.until(window);
      if (!found) continue;
      ++flipped;
      MESSAGE(o.text(), ": flipped at ", found->at.count(), "s by ", found->rule, "\n", fmt::format("{}", fmt::join(both.said(), "\n")));
    }
  }
  CHECK(flipped == 0);
}

TEST_CASE("a_bad_release_is_rolled_back_in_the_second_of_its_breach") {
  std::mt19937 chance(7);
  const auto any = [&](int least, int most) { return std::uniform_int_distribution(least, most)(chance); };
  for (int i = 0; i < variants; ++i) {
    const fault bad{green, seconds(any(0, 500)), 1h, any(80, 100) / 100.0};
    night alone({bad}, any(5, 40), static_cast<unsigned>(chance()));
    const auto found = alone.until(window);
    REQUIRE(found);
    CHECK(found->at - found->breached <= 1s);
    CHECK(found->breached - bad.from <= 20s);
  }
}
