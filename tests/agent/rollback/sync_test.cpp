#include "agent/rollback/disk.hpp"
#include "agent/rollback/file_image.hpp"
#include "agent/rollback/journal_file.hpp"
#include "tests/agent/rollback/files.hpp"

#include <doctest/doctest.h>

#include <sys/syscall.h>

#include <cerrno>
#include <vector>

using namespace flipback::rollback;
using flipback::test::folder;
using flipback::test::has;
using flipback::test::regular;

namespace {

/// What was synced, and what the live file said at that time; and whether folders can be.
struct disk {
  const folder* watched = nullptr;
  bool folders_fail = false;
  std::vector<std::string> synced;
};
disk seen;

}  // namespace

/// Takes the place of the C library's in this program, and does the same.
extern "C" int fsync(int fd) {
  struct stat of{};
  if (seen.watched != nullptr && ::fstat(fd, &of) == 0) {
    seen.synced.push_back((S_ISDIR(of.st_mode) ? "folder while live says " : "file while live says ") + seen.watched->text("live"));
    if (S_ISDIR(of.st_mode) && seen.folders_fail) {
      errno = EIO;
      return -1;
    }
  }
  return static_cast<int>(::syscall(SYS_fsync, fd));
}

extern "C" int fdatasync(int fd) {
  if (seen.watched != nullptr) seen.synced.emplace_back("data");
  return static_cast<int>(::syscall(SYS_fdatasync, fd));
}

TEST_CASE("a_file_is_synced_before_it_stands_there_and_the_folder_after") {
  const folder f;
  const file_change c{.path = f.write("live", "old"), .before = regular("old"), .after = regular("new")};
  seen = {.watched = &f};
  CHECK(put_file(c, end::after, false).is == put_result::kind::done);
  CHECK(seen.synced == std::vector<std::string>{"file while live says old", "folder while live says new"});
  seen.synced.clear();
  CHECK(put_file(c, end::after, false).is == put_result::kind::done);
  CHECK(seen.synced == std::vector<std::string>{"file while live says new", "folder while live says new"});
  seen.synced.clear();
  CHECK(put_file(c, end::before, true).is == put_result::kind::done);
  CHECK(seen.synced == std::vector<std::string>{"file while live says old"});
  seen = {};
}

TEST_CASE("a_folder_that_can_t_be_synced_after_the_step_can_t_tell") {
  const folder f;
  const file_change c{.path = f.write("live", "old"), .before = regular("old"), .after = regular("new")};
  seen = {.watched = &f, .folders_fail = true};
  const put_result r = put_file(c, end::after, false);
  seen = {};
  CHECK(r.is == put_result::kind::cant_tell);
  CHECK(has(r.says, "can't sync, after " + c.path + " was replaced, the folder " + f.at.string()));
  CHECK(f.text("live") == "new");
}

TEST_CASE("what_was_kept_is_synced_before_an_undo_puts_it_back") {
  const folder f;
  const file_change c{.path = f.write("live", "old"), .before = regular("old"), .after = regular("new")};
  REQUIRE(put_file(c, end::after, false).is == put_result::kind::done);
  seen = {.watched = &f};
  const put_result r = put_file(c, end::before, false);
  const auto synced = seen.synced;
  seen = {};
  CHECK(r.is == put_result::kind::done);
  CHECK(synced == std::vector<std::string>{"file while live says new", "folder while live says old"});
}

TEST_CASE("a_new_journal_is_synced_and_its_folder_before_its_first_row_and_each_row_after_it") {
  const folder f;
  f.write("live", "old");
  journal_file journal((f.at / "journal").string(), make_disk());
  seen = {.watched = &f};
  const bool begun = journal.append({}).has_value();
  const auto at_first = seen.synced;
  seen.synced.clear();
  row second;
  second.number = 1;
  second.is = row::kind::reloading;
  const bool went_on = journal.append(second).has_value();
  const auto then = seen.synced;
  seen = {};
  CHECK(begun);
  CHECK(at_first == std::vector<std::string>{"data", "folder while live says old", "data"});
  CHECK(went_on);
  CHECK(then == std::vector<std::string>{"data"});
}
