#include "agent/rollback/file_image.hpp"
#include "tests/agent/rollback/files.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <random>
#include <thread>

using namespace flipback::rollback;
using flipback::test::folder;
using flipback::test::leading_to;
using flipback::test::regular;

namespace {

constexpr int rounds = 200;

/// A child that puts the change to and fro, killed at any instant.
void put_and_be_killed(const file_change& c, bool in_place, std::mt19937& chance) {
  const pid_t child = ::fork();
  if (child == 0) {
    for (;;) {
      put_file(c, end::after, in_place);
      put_file(c, end::before, in_place);
      if (!in_place && !stage(c.path, c.after.bytes.size())) ::_exit(1);
    }
  }
  std::this_thread::sleep_for(std::chrono::microseconds(std::uniform_int_distribution<>(0, 15'000)(chance)));
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WIFSIGNALED(status));
}

void expect_old_or_new(const folder& f, const file_change& c, const std::set<std::string>& left) {
  std::mt19937 chance(20240607);
  std::array<int, 2> seen{};
  for (int r = 0; r < rounds; ++r) {
    put_and_be_killed(c, false, chance);
    const change_state now = state_of(c, false);
    REQUIRE_MESSAGE((now.is == change_state::kind::before || now.is == change_state::kind::after), now.says);
    ++seen.at(now.is == change_state::kind::before ? 0 : 1);
    // Whatever was left does not stop the next one; a sweep takes it away.
    if (r % 2 == 0) sweep(c.path);
    if (r % 2 == 0) REQUIRE(f.names() == left);
    REQUIRE(put_file(c, r % 3 == 0 ? end::after : end::before, false).is == put_result::kind::done);
  }
  CHECK(seen[0] > 0);
  CHECK(seen[1] > 0);
}

}  // namespace

TEST_CASE("killed_at_any_instant_a_file_is_whole_and_a_sweep_takes_the_rest") {
  const folder f;
  const file_change c{.path = f.write("live", std::string(70'000, 'o')),
                      .before = regular(std::string(70'000, 'o')),
                      .after = regular(std::string(90'000, 'n'))};
  expect_old_or_new(f, c, {"live"});
}

TEST_CASE("killed_at_any_instant_a_link_leads_to_one_of_both") {
  const folder f;
  f.write("blue", "blue");
  f.write("green", "green");
  const file_change c{.path = f.link("live", "green"), .before = leading_to("green"), .after = leading_to("blue")};
  expect_old_or_new(f, c, {"live", "blue", "green"});
}

TEST_CASE("killed_at_any_instant_a_file_written_in_place_can_be_put_to_either_end") {
  const folder f;
  const file_change c{.path = f.write("live", std::string(700'000, 'o')),
                      .before = regular(std::string(700'000, 'o')),
                      .after = regular(std::string(900'000, 'n'))};
  std::mt19937 chance(7);
  for (int r = 0; r < rounds; ++r) {
    put_and_be_killed(c, true, chance);
    const end to = r % 2 == 0 ? end::after : end::before;
    const put_result back = put_file(c, to, true);
    REQUIRE_MESSAGE(back.is == put_result::kind::done, back.says);
    REQUIRE(f.text("live") == (to == end::after ? c.after.bytes : c.before.bytes));
  }
  CHECK(f.names() == std::set<std::string>{"live"});
}
