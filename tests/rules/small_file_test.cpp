#include "flipback/small_file.hpp"

#include "tests/folder.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

using namespace flipback;
using flipback::test::folder;

TEST_CASE("a_regular_file_is_read_whole_to_its_bound") {
  const folder in;
  const std::string file = in.write("file", std::string("a\0b\n", 4));
  CHECK(read_small_file(file) == std::string("a\0b\n", 4));
  in.write("file", std::string(2048, 'x'));
  CHECK(read_small_file(file, 2048)->size() == 2048);
  CHECK(read_small_file(file, 1024).error() == "is longer than 1KiB");
}

TEST_CASE("what_reading_might_wait_for_is_refused_at_once_and_named") {
  const folder in;
  const std::string fifo = in.path("fifo");
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  CHECK(read_small_file(fifo).error() == "is a FIFO, expected a regular file");
  CHECK(read_small_file("/dev/zero").error() == "is a device, expected a regular file");
  CHECK(read_small_file(in.path("nothing")).error() == "No such file or directory");
  CHECK(read_small_file(in.at).error() == "Is a directory");
  CHECK(unreadable_kind(fifo) == "is a FIFO, expected a regular file");
  CHECK_FALSE(unreadable_kind(in.path("nothing")));
}
