#include "agent/rollback/beside.hpp"
#include "agent/rollback/file_image.hpp"
#include "tests/agent/rollback/files.hpp"

#include <doctest/doctest.h>

using namespace flipback::rollback;
using flipback::test::folder;
using flipback::test::has;
using flipback::test::regular;
using names = std::set<std::string>;

namespace {

void fill(const std::string& path) {
  const flipback::descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  const std::string page(4096, 'f');
  while (::write(file.get(), page.data(), page.size()) > 0) {
  }
}

}  // namespace

TEST_CASE("staged_room_is_used_up_by_a_put_and_given_back_without_one") {
  const folder f;
  const file_change c{.path = f.write("live", "old"), .before = regular("old"), .after = regular("new")};
  CHECK(stage(c.path, 5000).has_value());
  CHECK(stage(c.path, 3).has_value());
  CHECK(f.names() == names{"live", ".live.flipback-room"});
  const struct stat room = flipback::test::looked_at(beside(c.path, dotfile::room));
  CHECK(room.st_blocks * 512 >= 5000);
  CHECK(put_file(c, end::after, false).is == put_result::kind::done);
  CHECK(f.text("live") == "new");
  CHECK(flipback::test::looked_at(c.path).st_ino == room.st_ino);
  CHECK(f.names() == names{"live", ".live.flipback-kept"});
  unstage(c.path);
  CHECK(f.names() == names{"live"});
  CHECK(stage(c.path, 5000).has_value());
  unstage(c.path);
  CHECK(f.names() == names{"live"});
}

TEST_CASE("room_that_is_somebody_s_file_by_a_second_name_is_not_written") {
  const folder f;
  const file_change c{.path = f.write("live", "old"), .before = regular("old"), .after = regular("new")};
  f.write("precious", "precious");
  REQUIRE(::link(f.path("precious").c_str(), beside(c.path, dotfile::room).c_str()) == 0);
  CHECK(put_file(c, end::after, false).is == put_result::kind::done);
  CHECK(f.text("precious") == "precious");
}

TEST_CASE("room_that_is_a_link_is_neither_followed_nor_written") {
  const folder f;
  const file_change c{.path = f.write("live", "old"), .before = regular("old"), .after = regular("new")};
  f.write("precious", "precious");
  std::filesystem::create_symlink(f.path("precious"), beside(c.path, dotfile::room));
  CHECK(put_file(c, end::after, false).is == put_result::kind::done);
  CHECK(f.text("live") == "new");
  CHECK(f.text("precious") == "precious");
}

TEST_CASE("a_full_disk_is_told_and_stops_no_put_that_was_staged_nor_its_undo") {
  const folder f;
  const std::string said = flipback::test::with_own_mounts([&]() -> std::string {
    if (::mount("tmpfs", f.at.c_str(), "tmpfs", 0, "size=128k") != 0) return "can't mount";
    const file_change c{.path = f.write("live", std::string(9000, 'o')),
                        .before = regular(std::string(9000, 'o')),
                        .after = regular(std::string(9000, 'n'))};
    if (!stage(c.path, 9000)) return "no room to begin with";
    fill(f.path("full"));
    if (const std::string obstacle = obstacle_to_put(c.path, false); !obstacle.empty()) return "though it is staged: " + obstacle;
    if (stage(f.path("other"), 9000)) return "room on a full disk";
    if (f.names().contains(".other.flipback-room")) return "left what it could not stage";
    if (const auto r = put_file(c, end::after, false); r.is != put_result::kind::done) return r.says;
    if (f.text("live") != c.after.bytes) return "not the new bytes";
    fill(f.path("fuller"));
    if (const auto r = put_file(c, end::before, false); r.is != put_result::kind::done) return "undo: " + r.says;
    if (f.text("live") != c.before.bytes) return "not the old bytes";
    sweep(c.path);
    fill(f.path("fullest"));
    if (!has(obstacle_to_put(c.path, false), "No space left on device")) return "the obstacle is not seen";
    if (put_file(c, end::after, false).is != put_result::kind::failed) return "put without room";
    if (f.text("live") != c.before.bytes) return "it was changed";
    return f.names() == names{"live", "full", "fuller", "fullest"} ? "as it should" : "something was left";
  });
  CHECK(said == "as it should");
}

TEST_CASE("a_sweep_takes_everything_but_locks") {
  const folder f;
  const std::string path = f.write("live", "x");
  for (const dotfile d : {dotfile::fresh, dotfile::room, dotfile::kept, dotfile::trial, dotfile::lock})
    std::ofstream(beside(path, d)) << "x";
  sweep(path);
  CHECK(f.names() == names{"live", ".live.flipback-lock"});
}
