#include "probes/files/newest.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>

using namespace flipback;
using namespace std::chrono_literals;
using files::search_files;

namespace {

namespace fs = std::filesystem;

/// A folder with files, gone at its end.
struct folder {
  fs::path at = fs::temp_directory_path() / fmt::format("flipback-newest-{}", ::getpid());

  folder() {
    fs::remove_all(at);
    fs::create_directory(at);
  }
  ~folder() { fs::remove_all(at); }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;

  void file(const std::string& name, std::chrono::seconds ago, std::size_t size = 1) const {
    std::ofstream(at / name) << std::string(size, 'x');
    fs::last_write_time(at / name, fs::file_time_type::clock::now() - ago);
  }
  [[nodiscard]] files::file_search search(const std::string& name, std::size_t most = files::most_entries) const {
    const auto found = search_files({at.string(), name}, most);
    REQUIRE(found);
    return *found;
  }
};

}  // namespace

TEST_CASE("the_newest_is_the_one_modified_last_of_those_that_match") {
  const folder in;
  in.file("backup_20260101.sql", 1h, 10);
  in.file("backup_20260102.sql", 2h, 20);
  in.file("backup_20260103.sql.sha256", 1min);
  in.file("other.sql", 1min);
  const auto found = in.search("backup_*.sql");
  CHECK(found.finished);
  CHECK(found.matching == 2);
  REQUIRE(found.newest);
  CHECK(found.newest->name == "backup_20260101.sql");
  CHECK(found.newest->size == 10);
  const auto age = std::chrono::system_clock::now() - found.newest->modified;
  CHECK(age >= 1h);
  CHECK(age < 1h + 1min);
}

TEST_CASE("a_name_without_a_pattern_is_that_file_alone") {
  const folder in;
  in.file("dump.sql", 1h);
  in.file("dump_sql", 1h);
  CHECK(in.search("dump.sql").matching == 1);
  CHECK(in.search("dump\\.sql").matching == 1);
}

TEST_CASE("a_leading_dot_must_be_written") {
  const folder in;
  in.file(".hidden.sql", 1h);
  CHECK(in.search("*.sql").matching == 0);
  CHECK(in.search(".*.sql").matching == 1);
}

TEST_CASE("only_regular_files_count_and_links_to_them") {
  const folder in;
  in.file("real", 2h, 5);
  fs::create_directory(in.at / "a_folder.sql");
  fs::create_symlink("real", in.at / "a_link.sql");
  fs::create_symlink("nowhere", in.at / "a_dangling_link.sql");
  fs::create_symlink("a_loop.sql", in.at / "a_loop.sql");
  const auto found = in.search("*.sql");
  CHECK(found.matching == 1);
  REQUIRE(found.newest);
  CHECK(found.newest->name == "a_link.sql");
  CHECK(found.newest->size == 5);
}

TEST_CASE("a_folder_with_too_many_entries_is_not_looked_at_to_its_end") {
  const folder in;
  for (int i = 0; i < 5; ++i) in.file(fmt::format("{}.sql", i), 1h);
  CHECK(in.search("*.sql", 5).finished);
  CHECK_FALSE(in.search("*.sql", 4).finished);
}

TEST_CASE("a_folder_that_is_not_there_is_absent_and_named") {
  const auto found = search_files({"/nowhere", "*"});
  REQUIRE_FALSE(found);
  CHECK(found.error().why == reason::absent);
  CHECK(found.error().says == "/nowhere does not exist");
}

TEST_CASE("a_file_that_may_not_be_looked_at_is_not_passed_over") {
  if (::geteuid() == 0) return;  // who may look at everything
  const folder in;
  in.file("a.sql", 1h);
  fs::permissions(in.at, fs::perms::owner_read);
  const auto found = search_files({in.at.string(), "*.sql"});
  fs::permissions(in.at, fs::perms::owner_all);
  REQUIRE_FALSE(found);
  CHECK(found.error().why == reason::no_prerequisite);
}
