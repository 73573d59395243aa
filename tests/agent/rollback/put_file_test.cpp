#include "agent/rollback/beside.hpp"
#include "agent/rollback/file_image.hpp"
#include "tests/agent/rollback/files.hpp"

#include <doctest/doctest.h>

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/xattr.h>

#include <csignal>

using namespace flipback::rollback;
namespace fs = std::filesystem;
using flipback::test::folder;
using flipback::test::has;
using flipback::test::leading_to;
using flipback::test::regular;
using names = std::set<std::string>;

namespace {

file_change change_of(const std::string& path, const file_image& before, const file_image& after) {
  return {.path = path, .before = before, .after = after};
}

file_change old_to_new(const folder& f) {
  return change_of(f.write("live", "old"), regular("old"), regular("new"));
}

std::string in_words(const put_result& r) {
  constexpr std::array<std::string_view, 4> kinds{"done", "foreign", "failed", "cant_tell"};
  return std::string(kinds.at(static_cast<std::size_t>(r.is))) + ": " + r.says;
}

bool set_immutable(const std::string& path, bool on) {
  const flipback::descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  int flags = 0;
  if (::ioctl(file.get(), FS_IOC_GETFLAGS, &flags) != 0) return false;
  flags = on ? flags | FS_IMMUTABLE_FL : flags & ~FS_IMMUTABLE_FL;
  return ::ioctl(file.get(), FS_IOC_SETFLAGS, &flags) == 0;
}

}  // namespace

TEST_CASE("a_put_changes_the_bytes_and_keeps_mode_owner_and_attributes") {
  const folder f;
  const file_change c = old_to_new(f);
  ::chmod(c.path.c_str(), 0604);
  const bool root = ::geteuid() == 0;
  if (root) REQUIRE(::chown(c.path.c_str(), 1234, 4321) == 0);
  const bool attributes = ::setxattr(c.path.c_str(), "user.origin", "certbot", 7, 0) == 0;
  CHECK(put_file(c, end::after, false).is == put_result::kind::done);
  CHECK(f.text("live") == "new");
  const struct stat now = flipback::test::looked_at(c.path);
  CHECK((now.st_mode & 07777U) == 0604);
  if (root) {
    CHECK(now.st_uid == 1234);
    CHECK(now.st_gid == 4321);
  }
  std::array<char, 16> kept{};
  if (attributes) CHECK(::getxattr(c.path.c_str(), "user.origin", kept.data(), kept.size()) == 7);
}

TEST_CASE("an_access_list_is_kept") {
  const folder f;
  const file_change c = old_to_new(f);
  // Version 2; user rw, user 7 r, group r, mask r, other nothing.
  struct entry {
    std::uint16_t tag, may;
    std::uint32_t id;
  };
  struct list {
    std::uint32_t version;
    std::array<entry, 5> entries;
  };
  const list wanted{2, {{{0x01, 6, ~0U}, {0x02, 4, 7}, {0x04, 4, ~0U}, {0x10, 4, ~0U}, {0x20, 0, ~0U}}}};
  if (::setxattr(c.path.c_str(), "system.posix_acl_access", &wanted, sizeof wanted, 0) != 0) {
    WARN_MESSAGE(errno == ENOTSUP, "no access lists here");
    return;
  }
  CHECK(put_file(c, end::after, false).is == put_result::kind::done);
  list kept{};
  REQUIRE(::getxattr(c.path.c_str(), "system.posix_acl_access", &kept, sizeof kept) == sizeof kept);
  CHECK(kept.entries[1].id == 7);
  CHECK((flipback::test::looked_at(c.path).st_mode & 0777U) == 0640);
}

TEST_CASE("an_undo_gives_back_the_very_file_and_its_second_name") {
  const folder f;
  const file_change c = old_to_new(f);
  REQUIRE(::link(c.path.c_str(), f.path("second").c_str()) == 0);
  const ino_t was = flipback::test::looked_at(c.path).st_ino;
  CHECK(put_file(c, end::after, false).is == put_result::kind::done);
  CHECK(f.text("second") == "old");
  CHECK(put_file(c, end::before, false).is == put_result::kind::done);
  CHECK(f.text("live") == "old");
  CHECK(flipback::test::looked_at(c.path).st_ino == was);
  CHECK(put_file(c, end::after, false).is == put_result::kind::done);
  CHECK(f.text("live") == "new");
  sweep(c.path);
  CHECK(f.names() == names{"live", "second"});
}

TEST_CASE("an_undo_after_a_sweep_writes_the_bytes_mode_and_owner_again") {
  const folder f;
  const file_change c = old_to_new(f);
  ::chmod(c.path.c_str(), 0640);
  put_file(c, end::after, false);
  sweep(c.path);
  CHECK(put_file(c, end::before, false).is == put_result::kind::done);
  CHECK(f.text("live") == "old");
  CHECK((flipback::test::looked_at(c.path).st_mode & 0777U) == 0640);
}

TEST_CASE("what_is_kept_is_used_only_while_it_says_what_is_wanted") {
  const folder f;
  const file_change c = old_to_new(f);
  put_file(c, end::after, false);
  std::ofstream(beside(c.path, dotfile::kept)) << "something else";
  CHECK(put_file(c, end::before, false).is == put_result::kind::done);
  CHECK(f.text("live") == "old");
}

TEST_CASE("what_somebody_else_wrote_is_left_alone") {
  const folder f;
  const file_change c = old_to_new(f);
  f.write("live", "theirs");
  const put_result r = put_file(c, end::after, false);
  CHECK(r.is == put_result::kind::foreign);
  CHECK(has(r.says, c.path));
  CHECK(put_file(c, end::before, false).is == put_result::kind::foreign);
  CHECK(f.text("live") == "theirs");
  CHECK(f.names() == names{"live"});
}

TEST_CASE("what_is_there_already_is_done") {
  const folder f;
  const file_change c = old_to_new(f);
  const ino_t was = flipback::test::looked_at(c.path).st_ino;
  CHECK(put_file(c, end::before, false).is == put_result::kind::done);
  CHECK(flipback::test::looked_at(c.path).st_ino == was);
}

TEST_CASE("what_did_not_exist_does_not_exist_after_an_undo") {
  const folder f;
  const file_change c = change_of(f.path("live"), {}, regular("new"));
  CHECK(put_file(c, end::after, false).is == put_result::kind::done);
  CHECK(f.text("live") == "new");
  CHECK(put_file(c, end::before, false).is == put_result::kind::done);
  CHECK_FALSE(fs::exists(c.path));
  sweep(c.path);
  CHECK(f.names().empty());
  // Somebody made one meanwhile: it is neither overwritten nor taken away.
  f.write("live", "theirs");
  CHECK(put_file(c, end::after, false).is == put_result::kind::foreign);
  CHECK(put_file(c, end::before, false).is == put_result::kind::foreign);
  CHECK(f.text("live") == "theirs");
}

TEST_CASE("a_link_is_replaced_by_a_link_and_what_it_leads_to_is_not_touched") {
  const folder f;
  f.write("blue", "blue");
  f.write("green", "green");
  const file_change c = change_of(f.link("live", "green"), leading_to("green"), leading_to("blue"));
  CHECK(put_file(c, end::after, false).is == put_result::kind::done);
  CHECK(fs::read_symlink(c.path) == "blue");
  CHECK(put_file(c, end::before, false).is == put_result::kind::done);
  CHECK(fs::read_symlink(c.path) == "green");
  CHECK(f.text("blue") == "blue");
  CHECK(f.text("green") == "green");
  sweep(c.path);
  CHECK(f.names() == names{"blue", "green", "live"});
}

TEST_CASE("a_dotfile_that_is_a_link_is_not_followed") {
  const folder f;
  const file_change c = old_to_new(f);
  f.write("victim", "precious");
  for (const dotfile d : {dotfile::fresh, dotfile::room, dotfile::kept, dotfile::trial})
    fs::create_symlink(f.path("victim"), beside(c.path, d));
  CHECK(obstacle_to_put(c.path, false) == "");
  CHECK(stage(c.path, 100).has_value());
  CHECK(put_file(c, end::after, false).is == put_result::kind::done);
  CHECK(put_file(c, end::before, false).is == put_result::kind::done);
  CHECK(f.text("victim") == "precious");
  sweep(c.path);
  CHECK(f.names() == names{"live", "victim"});
}

TEST_CASE("a_pipe_or_a_folder_in_the_files_place_is_left_alone") {
  const folder f;
  const file_change c = old_to_new(f);
  ::unlink(c.path.c_str());
  ::mkfifo(c.path.c_str(), 0600);
  CHECK(put_file(c, end::after, false).is == put_result::kind::failed);
  CHECK(put_file(c, end::after, true).is == put_result::kind::failed);
  CHECK(has(obstacle_to_put(c.path, false), "named pipe"));
  CHECK(has(obstacle_to_put(c.path, true), "named pipe"));
}

TEST_CASE("an_owner_that_can_t_be_kept_is_refused_and_nothing_is_changed") {
  if (::geteuid() != 0) return;  // only root can make a file that belongs to somebody else
  const folder f;
  const file_change c = old_to_new(f);
  ::chmod(f.at.c_str(), 0777);
  const std::string said = flipback::test::as_nobody([&] { return in_words(put_file(c, end::after, false)); });
  CHECK(has(said, "failed: " + c.path + " belongs to user 0"));
  CHECK(has(flipback::test::as_nobody([&] { return obstacle_to_put(c.path, false); }), "write = \"in_place\""));
  CHECK(f.text("live") == "old");
  CHECK(f.names() == names{"live"});
}

TEST_CASE("a_folder_that_may_not_be_written_is_said_before_and_at_the_put") {
  const folder f;
  const file_change c = old_to_new(f);
  ::chmod(c.path.c_str(), 0666);
  ::chmod(f.at.c_str(), 0555);
  const std::string obstacle = flipback::test::as_nobody([&] { return obstacle_to_put(c.path, false); });
  CHECK(has(obstacle, "can't make a file in " + f.at.string() + ": Permission denied"));
  CHECK(has(flipback::test::as_nobody([&] { return in_words(put_file(c, end::after, false)); }), "failed: "));
  CHECK(f.text("live") == "old");
  // In the file itself it can be done.
  CHECK(flipback::test::as_nobody([&] { return obstacle_to_put(c.path, true); }) == "");
  CHECK(flipback::test::as_nobody([&] { return in_words(put_file(c, end::after, true)); }) == "done: ");
  ::chmod(f.at.c_str(), 0755);
  CHECK(f.text("live") == "new");
}

TEST_CASE("an_immutable_file_or_folder_is_said_with_what_to_type") {
  const folder f;
  const file_change c = old_to_new(f);
  if (!set_immutable(c.path, true)) {
    WARN_MESSAGE(false, "no file can be made immutable here");
    return;
  }
  CHECK(has(obstacle_to_put(c.path, false), "is immutable: chattr -i " + c.path));
  CHECK(has(obstacle_to_put(c.path, true), "lsattr"));
  CHECK(put_file(c, end::after, false).is == put_result::kind::failed);
  CHECK(put_file(c, end::after, true).is == put_result::kind::failed);
  CHECK(set_immutable(c.path, false));
  CHECK(set_immutable(f.at.string(), true));
  CHECK(has(obstacle_to_put(c.path, false), "is immutable: chattr -i " + f.at.string()));
  CHECK(put_file(c, end::after, false).is == put_result::kind::failed);
  CHECK(set_immutable(f.at.string(), false));
  CHECK(f.text("live") == "old");
  CHECK(f.names() == names{"live"});
}

TEST_CASE("a_write_that_is_cut_short_changes_nothing_and_leaves_nothing") {
  const folder f;
  const file_change c = change_of(f.write("live", "old"), regular("old"), regular(std::string(100'000, 'n')));
  for (const bool in_place : {false, true}) {
    const std::string said = flipback::test::in_child([&] {
      ::signal(SIGXFSZ, SIG_IGN);
      const rlimit few{.rlim_cur = 50'000, .rlim_max = 50'000};
      ::setrlimit(RLIMIT_FSIZE, &few);
      return in_words(put_file(c, end::after, in_place));
    });
    CHECK(has(said, "failed: can't "));
    CHECK(has(said, "File too large"));
    CHECK(f.text("live") == "old");
    CHECK(f.names() == names{"live"});
  }
}

TEST_CASE("a_look_for_obstacles_leaves_no_trace") {
  const folder f;
  const file_change c = old_to_new(f);
  const timespec before = flipback::test::looked_at(f.at.string()).st_mtim;
  CHECK(obstacle_to_put(c.path, false) == "");
  CHECK(obstacle_to_put(c.path, true) == "");
  CHECK(obstacle_to_put(f.path("none"), false) == "");
  CHECK(f.names() == names{"live"});
  const timespec after = flipback::test::looked_at(f.at.string()).st_mtim;
  CHECK(before.tv_nsec == after.tv_nsec);
  CHECK(has(obstacle_to_put(f.path("no/folder"), false), "can't make a file in"));
}
