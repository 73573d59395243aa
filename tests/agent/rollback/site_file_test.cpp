#include "agent/rollback/site_file.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

using namespace flipback::rollback;
namespace fs = std::filesystem;

namespace {

struct sites {
  sites() : folder(fs::temp_directory_path() / ("flipback-sites-" + std::to_string(::getpid()))) {
    fs::create_directories(folder / "enabled");
    write("blue", "blue's site\n");
    write("green", "green's site\n");
  }
  ~sites() { fs::remove_all(folder); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(folder / name) << text; }
  [[nodiscard]] std::string path(const std::string& name) const { return (folder / name).string(); }
  [[nodiscard]] std::string text(const std::string& name) const {
    std::ifstream in(folder / name);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  [[nodiscard]] std::size_t files_in(const std::string& name) const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder / name), fs::directory_iterator{}));
  }
  fs::path folder;
};

}  // namespace

TEST_CASE("a_regular_live_file_gets_the_slots_bytes_and_keeps_its_mode") {
  const sites s;
  s.write("enabled/default", "green's site\n");
  ::chmod(s.path("enabled/default").c_str(), 0640);
  const auto live = read_site(s.path("enabled/default"));
  CHECK(install(*live, *read_site(s.path("blue")), false).has_value());
  CHECK(s.text("enabled/default") == "blue's site\n");
  CHECK((read_site(s.path("enabled/default"))->mode & 0777) == 0640);
  CHECK(s.files_in("enabled") == 1);
  CHECK(restore(*live).has_value());
  CHECK(s.text("enabled/default") == "green's site\n");
}

TEST_CASE("a_link_to_a_slots_file_is_replaced_and_the_slots_file_is_not_written") {
  const sites s;
  fs::create_symlink(s.path("green"), s.path("enabled/default"));
  const auto live = read_site(s.path("enabled/default"));
  CHECK(install(*live, *read_site(s.path("blue")), true).has_value());
  CHECK(fs::read_symlink(s.path("enabled/default")) == s.path("blue"));
  CHECK(s.text("green") == "green's site\n");
  CHECK(s.text("blue") == "blue's site\n");
  CHECK(restore(*live).has_value());
  CHECK(fs::read_symlink(s.path("enabled/default")) == s.path("green"));
  CHECK(s.text("blue") == "blue's site\n");
}

TEST_CASE("a_link_to_another_file_stays_and_that_file_is_replaced") {
  const sites s;
  s.write("default", "green's site\n");
  fs::create_symlink("../default", s.path("enabled/default"));
  const auto live = read_site(s.path("enabled/default"));
  CHECK(install(*live, *read_site(s.path("blue")), false).has_value());
  CHECK(fs::read_symlink(s.path("enabled/default")) == "../default");
  CHECK(s.text("default") == "blue's site\n");
  CHECK(restore(*live).has_value());
  CHECK(s.text("default") == "green's site\n");
}

TEST_CASE("what_cannot_be_written_is_an_error_and_changes_nothing") {
  const sites s;
  s.write("enabled/default", "green's site\n");
  auto live = *read_site(s.path("enabled/default"));
  live.path = s.path("nowhere/default");
  CHECK_FALSE(install(live, *read_site(s.path("blue")), false).has_value());
  CHECK(s.text("enabled/default") == "green's site\n");
}

TEST_CASE("a_dotfile_left_behind_is_swept") {
  const sites s;
  s.write("enabled/default", "x");
  s.write("enabled/.default.flipback", "half");
  sweep(s.path("enabled/default"));
  CHECK(s.files_in("enabled") == 1);
}

TEST_CASE("a_missing_file_and_a_dangling_link_do_not_exist") {
  const sites s;
  CHECK_FALSE(read_site(s.path("enabled/nothing"))->exists);
  fs::create_symlink(s.path("gone"), s.path("enabled/default"));
  const auto dangling = read_site(s.path("enabled/default"));
  CHECK_FALSE(dangling->exists);
  CHECK(dangling->link == s.path("gone"));
}
