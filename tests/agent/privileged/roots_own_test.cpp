#include "agent/privileged/roots_own.hpp"

#include "tests/agent/privileged/roots_folder.hpp"

using namespace flipback::test;
using flipback::privileged::not_roots_own;

namespace {

bool refuses(const std::string& path, const char* with) {
  return not_roots_own(path).contains(with);
}

}  // namespace

TEST_CASE("what_root_alone_decides_is_believed_though_it_is_a_link_or_is_not_there_yet") {
  const roots_folder f;
  const std::string file = f.write("folder/file", "");
  CHECK(not_roots_own(file) == "");
  CHECK(not_roots_own(f.path("folder/none")) == "");
  CHECK(not_roots_own(f.path("none/at/all")) == "");
  CHECK(not_roots_own(f.link("link", "folder/file")) == "");
  CHECK(not_roots_own(f.link("folder/up", "../folder/./file")) == "");
  CHECK(not_roots_own("/usr/sbin/nginx") == "");
}

TEST_CASE("what_belongs_to_another_user_is_not_believed_wherever_it_stands_on_the_way") {
  const roots_folder f;
  const std::string file = f.write("folder/file", "");
  REQUIRE(::chown(file.c_str(), 65534, 0) == 0);
  CHECK(refuses(file, "belongs to user 65534"));
  CHECK(refuses(f.link("link", file), "belongs to user 65534"));
  CHECK(refuses(f.link("up", "folder/../folder/file"), "belongs to user 65534"));
  REQUIRE(::chown(file.c_str(), 0, 0) == 0);
  REQUIRE(::chown(f.path("folder").c_str(), 65534, 0) == 0);
  CHECK(refuses(file, "chown -h root"));
  CHECK(refuses(f.path("folder/none"), "belongs to user 65534"));
  CHECK(refuses(f.path("link"), "belongs to user 65534"));
  REQUIRE(::chown(f.path("folder").c_str(), 0, 0) == 0);
  CHECK(not_roots_own(f.path("link")) == "");
  REQUIRE(::lchown(f.path("link").c_str(), 65534, 0) == 0);
  CHECK(refuses(f.path("link"), "belongs to user 65534"));
}

TEST_CASE("what_others_may_write_is_not_believed") {
  const roots_folder f;
  const std::string file = f.write("folder/file", "");
  for (const mode_t mode : {0664U, 0646U, 0666U}) {
    REQUIRE(::chmod(file.c_str(), mode) == 0);
    CHECK(refuses(file, "chmod go-w"));
  }
  REQUIRE(::chmod(file.c_str(), 0644) == 0);
  for (const mode_t mode : {0775U, 01777U}) {
    REQUIRE(::chmod(f.path("folder").c_str(), mode) == 0);
    CHECK(refuses(file, "chmod go-w"));
    CHECK(refuses(f.path("folder/none"), "chmod go-w"));
  }
}

TEST_CASE("a_path_that_is_not_whole_or_goes_round_in_links_is_not_believed") {
  const roots_folder f;
  CHECK(refuses("etc/nginx", "no whole path"));
  CHECK(refuses("", "no whole path"));
  f.link("one", "two");
  CHECK(refuses(f.link("two", "one"), "more than 40 links"));
}
