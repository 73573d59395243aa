#include "agent/rollback/file_image.hpp"

#include "tests/agent/rollback/files.hpp"

#include <doctest/doctest.h>

#include <sys/socket.h>
#include <sys/un.h>

using namespace flipback::rollback;
using flipback::test::folder;
using flipback::test::has;

TEST_CASE("a_file_is_read_whole_with_its_mode_and_owner") {
  const folder f;
  const std::string bytes("a\0b\r\n", 5);
  const std::string path = f.write("live", bytes);
  ::chmod(path.c_str(), 0640);
  const auto read = read_image(path);
  REQUIRE(read.has_value());
  CHECK(read->is == file_image::kind::regular);
  CHECK(read->bytes == bytes);
  CHECK(read->mode == 0640);
  CHECK(read->owner == ::geteuid());
}

TEST_CASE("what_is_not_there_is_absent_and_a_link_is_read_as_a_link") {
  const folder f;
  CHECK(read_image(f.path("none"))->is == file_image::kind::absent);
  CHECK(read_image(f.path("no/folder"))->is == file_image::kind::absent);
  const auto read = read_image(f.link("enabled/live", "../nowhere"));
  CHECK(read->is == file_image::kind::link);
  CHECK(read->target == "../nowhere");
}

TEST_CASE("what_is_no_file_is_refused_without_blocking") {
  const folder f;
  REQUIRE(::mkfifo(f.path("pipe").c_str(), 0600) == 0);
  const auto pipe = read_image(f.path("pipe"));
  REQUIRE_FALSE(pipe.has_value());
  CHECK(has(pipe.error(), f.path("pipe") + " is a named pipe"));
  CHECK(has(flipback::test::error_of(read_image("/dev/zero")), "/dev/zero is a device"));
  CHECK(has(flipback::test::error_of(read_image(f.at.string())), "is a folder"));
  const int s = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  f.path("s").copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(::bind(s, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  CHECK(has(flipback::test::error_of(read_image(f.path("s"))), "is a socket"));
  ::close(s);
  std::string resolved;
  CHECK(has(flipback::test::error_of(read_behind(f.link("to-pipe", "pipe"), resolved)), "is a named pipe"));
}

TEST_CASE("a_mebibyte_is_read_and_a_byte_more_is_refused") {
  const folder f;
  CHECK(read_image(f.write("most", std::string(largest_live_file, 'x')))->bytes.size() == largest_live_file);
  const auto more = read_image(f.write("more", std::string(largest_live_file + 1, 'x')));
  REQUIRE_FALSE(more.has_value());
  CHECK(has(more.error(), "1048577 bytes"));
}

TEST_CASE("behind_a_link_is_the_file_and_its_real_path") {
  const folder f;
  f.write("available/site", "bytes");
  f.link("enabled/one", "../available/site");
  std::string resolved;
  CHECK(read_behind(f.link("two", "enabled/one"), resolved)->bytes == "bytes");
  CHECK(resolved == f.path("available/site"));
  CHECK(read_behind(f.path("available/site"), resolved)->bytes == "bytes");
  const auto nowhere = read_behind(f.link("lost", "gone"), resolved);
  REQUIRE_FALSE(nowhere.has_value());
  CHECK(has(nowhere.error(), "is a link to gone, which does not exist"));
  CHECK_FALSE(read_behind(f.link("loop", "loop"), resolved).has_value());
}

TEST_CASE("a_file_that_may_not_be_read_is_an_error_not_an_absence") {
  const folder f;
  const std::string path = f.write("secret", "x");
  ::chmod(path.c_str(), 0000);
  const std::string said = flipback::test::as_nobody([&] {
    const auto read = read_image(path);
    return read ? "read" : read.error();
  });
  if (::geteuid() == 0) CHECK(has(said, "can't read " + path + ": Permission denied; let user 65534"));
}

TEST_CASE("what_can_t_be_looked_at_is_an_error_not_an_absence") {
  const folder f;
  f.write("file", "x");
  for (const std::string& path : {f.path("file/below"), f.path(std::string(300, 'n'))}) {
    CAPTURE(path);
    CHECK_FALSE(read_image(path).has_value());
  }
}

TEST_CASE("a_change_stands_before_after_or_at_what_somebody_else_wrote") {
  const folder f;
  const file_change c{.path = f.write("live", "old"), .before = flipback::test::regular("old"), .after = flipback::test::regular("new")};
  CHECK(state_of(c, false).is == change_state::kind::before);
  f.write("live", "new");
  CHECK(state_of(c, false).is == change_state::kind::after);
  f.write("live", "other");
  CHECK(state_of(c, false).is == change_state::kind::foreign);
  ::unlink(c.path.c_str());
  CHECK(state_of(c, false).is == change_state::kind::foreign);
  ::mkfifo(c.path.c_str(), 0600);
  CHECK(state_of(c, false).is == change_state::kind::cant_tell);
}
