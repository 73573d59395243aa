#include "tests/agent/deciding_night.hpp"

#include <doctest/doctest.h>

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
  bool sick;           ///< whether the slots' health says it, too
  bool hangs = false;  ///< whether what fails is waited for until nginx gives up

  [[nodiscard]] std::vector<fault> faults() const {
    return {{blue, from, from + lasts, share, sick, hangs}, {green, from, from + lasts + later, share, sick, hangs}};
  }
  [[nodiscard]] std::string text() const {
    return fmt::format("from {}s on, {}s and {}s more on green, {:.0f}% of {} a second, health {}", from.count(), lasts.count(),
                       later.count(), 100 * share, each_second, sick ? "sick" : "well");
  }
};

outage drawn(seconds lasts, std::mt19937& chance, int least_share = 80) {
  const auto any = [&](int least, int most) { return std::uniform_int_distribution(least, most)(chance); };
  return {seconds(any(20, 700)), lasts, seconds(any(1, 15)), any(least_share, 100) / 100.0, any(5, 40), any(0, 1) == 1};
}

}  // namespace

TEST_CASE("a_shared_outage_that_ends_on_the_stable_slot_first_flips_nothing") {
  std::mt19937 chance(20261129);
  int flipped = 0;
  for (const seconds lasts : {20s, 60s, 180s}) {
    for (int i = 0; i < variants; ++i) {
      const outage o = drawn(lasts, chance);
      night both(o.faults(), o.each_second, static_cast<unsigned>(chance()));
      const auto found = both.until(window);
      if (!found) continue;
      ++flipped;
      MESSAGE(o.text(), ": flipped at ", found->at.count(), "s by ", found->rule, "\n", fmt::format("{}", fmt::join(both.said(), "\n")));
    }
  }
  CHECK(flipped == 0);
}

// A database that answers nobody: what began while it did ends up to a minute after it is over, in 504s of a slot that does well by then.
TEST_CASE("a_shared_outage_of_requests_that_hang_flips_nothing_when_they_time_out_after_it") {
  std::mt19937 chance(20261201);
  int breached = 0;
  for (const seconds lasts : {30s, 60s, 180s}) {
    for (int i = 0; i < variants / 2; ++i) {
      outage o = drawn(lasts, chance);
      o.hangs = true;
      night both(o.faults(), o.each_second, static_cast<unsigned>(chance()));
      const auto found = both.until(window);
      breached += both.breached() ? 1 : 0;
      CHECK_MESSAGE(!found, o.text(), ": flipped at ", found ? found->at.count() : 0, "s by ", found ? found->rule : "nothing");
    }
  }
  CHECK(breached > variants);
}

// A database's pool that refuses a part of all requests on both slots. Where the breach comes only once the stable slot is well again,
// there is nothing by which it could be told from a bad release, and users are better off: such nights do not count.
TEST_CASE("a_shared_outage_of_a_part_of_the_requests_flips_nothing_while_it_lasts") {
  std::mt19937 chance(20261130);
  int counted = 0;
  for (const seconds lasts : {60s, 180s, 400s}) {
    for (int i = 0; i < 3 * variants; ++i) {
      const outage o = drawn(lasts, chance, 8);
      night both(o.faults(), o.each_second, static_cast<unsigned>(chance()));
      const auto found = both.until(window);
      if (both.breached() && *both.breached() < o.from + o.lasts) ++counted;
      CHECK_MESSAGE((!found || found->breached >= o.from + o.lasts), o.text(), ": flipped by ", found ? found->rule : "nothing");
    }
  }
  CHECK(counted > 100);
}

TEST_CASE("a_release_that_fails_a_part_of_the_requests_is_rolled_back_in_the_second_of_its_breach_as_a_rule") {
  std::mt19937 chance(10);
  const auto any = [&](int least, int most) { return std::uniform_int_distribution(least, most)(chance); };
  int waited = 0;
  for (int i = 0; i < 2 * variants; ++i) {
    const fault bad{green, seconds(any(0, 100)), 1h, any(10, 80) / 100.0};
    night alone({bad}, any(5, 40), static_cast<unsigned>(chance()));
    const auto found = alone.until(window);
    CAPTURE(bad.share);
    REQUIRE(found);
    // Where it does well all that is asked, what comes after that has to show it.
    CHECK(found->at - found->breached <= 61s);
    waited += found->at - found->breached > 1s ? 1 : 0;
  }
  CHECK(waited <= variants / 5);
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
