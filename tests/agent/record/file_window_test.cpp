#include "agent/record/file_window.hpp"

#include "agent/record/record_file.hpp"
#include "tests/folder.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

using namespace flipback;
namespace fs = std::filesystem;

namespace {

std::string numbered(std::size_t bytes) {
  std::string made;
  for (std::size_t i = 0; made.size() < bytes; ++i) made += std::to_string(i) + " ";
  made.resize(bytes);
  return made;
}

}  // namespace

TEST_CASE("each_piece_of_a_file_is_what_is_there_wherever_it_begins_and_however_long_it_is") {
  const test::folder f;
  const std::string all = numbered(900'000);
  auto opened = file_window::of(f.write("file", all));
  REQUIRE(opened.has_value());
  CHECK(opened->size() == all.size());
  for (const std::size_t at : {0UL, 5UL, 262'143UL, 262'144UL, 100UL, 899'999UL, 900'000UL, 2'000'000UL}) {
    for (const std::size_t bytes : {0UL, 1UL, 3000UL, 262'144UL, 500'000UL}) {
      CAPTURE(at);
      CAPTURE(bytes);
      CHECK(opened->piece(at, bytes) == (at > all.size() ? "" : all.substr(at, bytes)));
    }
  }
  CHECK(opened->whole() == all);
}

TEST_CASE("what_is_no_file_is_said") {
  const test::folder f;
  CHECK(file_window::of(f.path("none")).error() == "can't be read: No such file or directory");
  CHECK(file_window::of(f.at.string()).error() == "can't be read: Is a directory");
  CHECK(file_window::of("/dev/null").error() == "is no regular file");
}

TEST_CASE("a_record_that_is_made_shorter_while_it_is_read_is_an_error_where_it_ends_now") {
  const test::folder f;
  rules::replay::record_writer made;
  std::string all(rules::replay::magic);
  while (all.size() < 600'000) {
    for (int i = 0; i < 100; ++i) made.write(rules::replay::cut_over{});
    all += made.take();
  }
  auto opened = file_window::of(f.write("file", all));
  REQUIRE(opened.has_value());
  auto reader = reader_of(*opened);
  REQUIRE(reader.skip() == true);
  fs::resize_file(f.path("file"), 1000);
  auto more = reader.skip();
  while (more && *more) more = reader.skip();
  REQUIRE_FALSE(more.has_value());
  CHECK(more.error().says == "the file was made shorter while it was read");
  CHECK(reader.torn() == 0);
}
