#include "agent/init/service_user.hpp"

#include "tests/folder.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

using namespace flipback;

namespace {

/// Where a service may look, unlike /tmp.
constexpr const char* seen_by_a_service = "/var/lib";

std::string why_kept(const std::string& file, const std::string& user = "nobody") {
  const std::vector<std::string> all = init::kept_from_service(std::vector{file}, user);
  return all.empty() ? "" : all.front();
}

}  // namespace

TEST_CASE("a_file_that_is_roots_alone_is_kept_from_the_service" * doctest::skip(::geteuid() != 0)) {
  const test::folder in(seen_by_a_service);
  const std::string file = in.write("app/.env", "A=b\n");
  CHECK(why_kept(file).empty());
  ::chmod(file.c_str(), 0640);
  CHECK(why_kept(file) == "how the service is to read " + file + ": its user nobody may not (" + file +
                              " has mode 0640 and belongs to user 0, group 0): type `setfacl -m u:nobody:r " + file + "` as root");
  CHECK(::system(("setfacl -m u:nobody:r " + file).c_str()) == 0);
  CHECK(why_kept(file).empty());
}

TEST_CASE("a_folder_on_the_way_that_is_closed_is_said" * doctest::skip(::geteuid() != 0)) {
  const test::folder in(seen_by_a_service);
  const std::string file = in.write("app/.env", "A=b\n");
  const std::string link = in.link("elsewhere", "app/.env");
  ::chmod(in.path("app").c_str(), 0700);
  ::chmod(file.c_str(), 0600);
  CHECK(why_kept(link).ends_with("type `setfacl -m u:nobody:x " + in.path("app") + " && setfacl -m u:nobody:r " + file + "` as root"));
}

TEST_CASE("a_user_that_is_not_there_yet_may_what_everybody_may" * doctest::skip(::geteuid() != 0)) {
  const test::folder in(seen_by_a_service);
  const std::string file = in.write(".env", "A=b\n");
  CHECK(why_kept(file, "no-such-user").empty());
  ::chmod(file.c_str(), 0600);
  CHECK(why_kept(file, "no-such-user").contains("once the package has made that user, type `setfacl -m u:no-such-user:r "));
}

TEST_CASE("what_the_unit_hides_is_said_and_what_is_not_there_is_not" * doctest::skip(::geteuid() != 0)) {
  const test::folder in("/tmp");
  CHECK(why_kept(in.write(".env", "A=b\n")).contains("it sees nothing of /tmp (ProtectHome= and PrivateTmp= of flipback.service)"));
  CHECK(why_kept(in.path("none")).empty());
}
