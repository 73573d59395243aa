#include "agent/rollback/in_place.hpp"

#include "agent/rollback/file_image.hpp"
#include "tests/agent/rollback/files.hpp"

#include <doctest/doctest.h>

using namespace flipback::rollback;
using flipback::test::folder;
using flipback::test::has;
using flipback::test::regular;

TEST_CASE("in_place_keeps_the_file_itself") {
  const folder f;
  for (const std::string& bytes : {std::string("longer than it was"), std::string("short"), std::string()}) {
    const file_change c{.path = f.write("live", "as it was"), .before = regular("as it was"), .after = regular(bytes)};
    const ino_t was = flipback::test::looked_at(c.path).st_ino;
    CHECK(put_file(c, end::after, true).is == put_result::kind::done);
    CHECK(f.text("live") == bytes);
    CHECK(put_file(c, end::before, true).is == put_result::kind::done);
    CHECK(f.text("live") == "as it was");
    CHECK(flipback::test::looked_at(c.path).st_ino == was);
    CHECK(f.names() == std::set<std::string>{"live"});
  }
}

TEST_CASE("in_place_a_file_with_a_second_name_is_refused") {
  const folder f;
  const file_change c{.path = f.write("live", "old"), .before = regular("old"), .after = regular("new")};
  REQUIRE(::link(c.path.c_str(), f.path("sites-available-green").c_str()) == 0);
  CHECK(put_file(c, end::after, true).is == put_result::kind::failed);
  CHECK(has(obstacle_to_put(c.path, true), "has 2 names"));
  CHECK(f.text("sites-available-green") == "old");
}

TEST_CASE("in_place_what_somebody_wrote_in_the_last_instant_is_left") {
  const folder f;
  const file_change c{.path = f.write("live", "theirs, and longer than both"), .before = regular("old"), .after = regular("new")};
  for (const end to : {end::after, end::before}) CHECK(write_in_place(c, to).is == put_result::kind::foreign);
  CHECK(f.text("live") == "theirs, and longer than both");
}

TEST_CASE("a_file_that_is_mounted_alone_is_told_and_can_be_written_in_place") {
  const folder f;
  const file_change c{.path = f.write("conf.d/live", "old"), .before = regular("old"), .after = regular("new")};
  const std::string outside = f.write("outside", "old");
  const std::string said = flipback::test::with_own_mounts([&]() -> std::string {
    if (::mount(outside.c_str(), c.path.c_str(), nullptr, MS_BIND, nullptr) != 0) return "can't mount";
    const std::string obstacle = obstacle_to_put(c.path, false);
    if (!has(obstacle, "is a mount point") || !has(obstacle, "write = \"in_place\"")) return "obstacle: " + obstacle;
    if (put_file(c, end::after, false).is != put_result::kind::failed) return "it was renamed over";
    if (const std::string other = obstacle_to_put(c.path, true); !other.empty()) return other;
    if (const auto r = put_file(c, end::after, true); r.is != put_result::kind::done) return r.says;
    return "done";
  });
  CHECK(said == "done");
  CHECK(f.text("outside") == "new");
  CHECK(f.text("conf.d/live") == "old");
  CHECK(f.names("conf.d") == std::set<std::string>{"live"});
}

TEST_CASE("what_a_write_leaves_that_is_cut_off_is_known_again_and_a_person_s_edit_is_not_taken_for_it") {
  const std::string old_pages = std::string(4096, 'a') + std::string(4096, 'b') + "end";
  const std::string new_pages = std::string(4096, 'x') + std::string(4096, 'y') + std::string(5000, 'z');
  struct {
    std::string name, before, after, now;
    bool half;
  } const cases[] = {
      {"a page of the new", old_pages, new_pages, new_pages.substr(0, 4096) + old_pages.substr(4096), true},
      {"pages out of order", old_pages, new_pages, old_pages.substr(0, 4096) + new_pages.substr(4096, 4096) + "end", true},
      {"all but the cut", "server blue is longer;\n", "server green;\n", "server green;\n longer;\n", true},
      {"half of the places, by hand", "a blue b blue\n", "a gree b gree\n", "a gree b blue\n", false},
      {"something of its own", old_pages, new_pages, new_pages.substr(0, 4000) + old_pages.substr(4000), false},
      {"shorter than both", "server blue;\n", "server green;\n", "server", false},
      {"emptied", "server blue;\n", "server green;\n", "", false},
      {"longer than both", "old", "new!", "new!!", false},
  };
  for (const auto& c : cases) {
    CAPTURE(c.name);
    const file_change change{.path = "", .before = regular(c.before), .after = regular(c.after)};
    CHECK(is_half_written(c.now, change) == c.half);
    const file_change back{.path = "", .before = regular(c.after), .after = regular(c.before)};
    CHECK(is_half_written(c.now, back) == c.half);
  }
}

TEST_CASE("what_is_half_written_can_be_put_to_either_end") {
  const folder f;
  const std::string before = std::string(5000, 'a');
  const std::string after = std::string(9000, 'b');
  for (const end to : {end::before, end::after}) {
    const file_change c{
        .path = f.write("live", after.substr(0, 4096) + before.substr(4096)), .before = regular(before), .after = regular(after)};
    CHECK(state_of(c, true).is == change_state::kind::cant_tell);
    CHECK(state_of(c, false).is == change_state::kind::foreign);
    CHECK(put_file(c, to, false).is == put_result::kind::foreign);
    CHECK(put_file(c, to, true).is == put_result::kind::done);
    CHECK(f.text("live") == (to == end::before ? before : after));
  }
}
