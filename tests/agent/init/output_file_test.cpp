#include "agent/init/output_file.hpp"

#include "tests/folder.hpp"

#include <doctest/doctest.h>

#include <sys/resource.h>

#include <csignal>
#include <string>

using namespace flipback;

TEST_CASE("what_is_in_the_way_of_a_file_is_said_with_what_to_type") {
  const test::folder in;
  in.write("file", "mine");
  in.write("folder/x", "");
  in.link("link", "nowhere");
  const auto says = [&](const std::string& name) { return init::obstacle_to_write(in.path(name)); };
  const std::string at = in.at.string();
  CHECK(says("new").empty());
  CHECK(says("file") ==
        at + "/file is there already, and nothing is overwritten: type `flipback init --output " + at + "/file.new` to write beside it");
  CHECK(says("folder") ==
        at + "/folder is a folder, expected the name of a new file: type `flipback init --output " + at + "/folder/flipback.toml`");
  CHECK(says("folder/").ends_with("`flipback init --output " + at + "/folder/flipback.toml`"));
  CHECK(says("link").starts_with(at + "/link is a link, expected the name of a new file: type `flipback init`, which"));
  CHECK(init::obstacle_to_write("/dev/null").starts_with("/dev/null is a device, expected"));
  CHECK(says("none/deep/f") == "can't write " + at + "/none/deep/f: there is no folder " + at + "/none/deep: type `mkdir -p " + at +
                                   "/none/deep`, and this again");
  CHECK(says("none/").contains("there is no folder " + at + "/none:"));
  CHECK(says("file/f").starts_with("can't write " + at + "/file/f: " + at + "/file is no folder: name a file in one"));
  CHECK(says(std::string(300, 'x')).contains("File name too long"));
}

TEST_CASE("a_file_is_made_whole_and_never_over_another") {
  const test::folder in;
  CHECK(init::write_new_file(in.path("f"), "text").empty());
  CHECK(in.text("f") == "text");
  CHECK(init::write_new_file(in.path("f"), "other").contains("is there already"));
  CHECK(in.text("f") == "text");
}

TEST_CASE("a_file_that_can_not_be_written_whole_is_taken_away") {
  const test::folder in;
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  auto* const usual = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit little{.rlim_cur = 1000, .rlim_max = before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &little);
  const std::string why = init::write_new_file(in.path("f"), std::string(5000, 'x'));
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, usual);
  CHECK(why.contains("File too large, and nothing of it stays"));
  CHECK(in.names().empty());
}
