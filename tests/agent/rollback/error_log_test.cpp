#include "agent/rollback/error_log.hpp"

#include "tests/agent/rollback/running_nginx.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

using namespace flipback;

namespace {

constexpr pid_t master = 123;
constexpr const char* emerg = "2026/11/26 20:53:43 [emerg] 123#123: bind() to 0.0.0.0:80 failed (98: Address already in use)";

struct stage {
  testing::folder in;
  std::string path = in / "error.log";
  rollback::error_log log;

  void add(const std::string& text) const { std::ofstream(path, std::ios::app | std::ios::binary) << text << "\n"; }
};

}  // namespace

TEST_CASE("an_entry_is_read_from_its_beginning_or_not_at_all") {
  struct row {
    const char* line;
    const char* level;  ///< null: no entry
    pid_t pid = 0;
  };
  const row rows[] = {
      {emerg, "emerg", 123},
      {"2026/11/26 20:53:43 [error] 7#8: *1 open() \"/x [emerg] 123#123: y\" failed", "error", 7},
      {"2026/11/26 20:53:43 [emerg] 123#123:x", nullptr},
      {" 2026/11/26 20:53:43 [emerg] 123#123: x", nullptr},
      {"2026/11/26 20:53:43 [emerg]123#123: x", nullptr},
      {"2026/11/26 20:53:43 [emerg] 123: x", nullptr},
      {"2026/11/26 20:53:43 [emerg] -123#123: x", nullptr},
      {"2026/11/26 20:53:43 [emerg] 99999999999#123: x", nullptr},
      {"2026/11/26 20:53 [emerg] 123#123: x", nullptr},
      {"2026-11-26 20:53:43 [emerg] 123#123: x", nullptr},
      {"2026/11/26 20:53:43 [emerg", nullptr},
      {"2026/11/26 20:53:43 [", nullptr},
      {"[emerg]", nullptr},
      {"", nullptr},
  };
  for (const row& r : rows) {
    CAPTURE(r.line);
    const auto entry = rollback::error_entry_in(r.line);
    REQUIRE(entry.has_value() == (r.level != nullptr));
    if (!entry) continue;
    CHECK(entry->level == r.level);
    CHECK(entry->pid == r.pid);
  }
}

TEST_CASE("only_this_masters_emerg_since_the_mark_is_found") {
  stage s;
  s.add(emerg);
  s.log.mark(s.path);
  CHECK(s.log.emerg_since_mark(master) == "");
  s.add("2026/11/26 20:53:44 [emerg] 124#124: nginx -t of somebody else");
  s.add("2026/11/26 20:53:44 [crit] 123#123: [emerg]");
  CHECK(s.log.emerg_since_mark(master) == "");
  s.add(emerg);
  CHECK(s.log.emerg_since_mark(master) == emerg);
  CHECK(s.log.emerg_since_mark(master) == emerg);
  s.log.mark(s.path);
  CHECK(s.log.emerg_since_mark(master) == "");
}

TEST_CASE("a_log_that_is_not_there_yet_is_read_from_its_first_byte") {
  stage s;
  CHECK(s.log.emerg_since_mark(master) == "");
  s.log.mark(s.path);
  CHECK(s.log.emerg_since_mark(master) == "");
  s.add(emerg);
  CHECK(s.log.emerg_since_mark(master) == emerg);
}

TEST_CASE("a_log_that_is_rotated_or_truncated_is_read_on") {
  SUBCASE("renamed, and the entry in the old file") {
    stage s;
    s.add("2026/11/26 20:53:43 [notice] 123#123: x");
    s.log.mark(s.path);
    std::filesystem::rename(s.path, s.path + ".1");
    std::ofstream(s.path + ".1", std::ios::app) << emerg << "\n";
    s.add("2026/11/26 20:53:43 [notice] 123#123: y");
    CHECK(s.log.emerg_since_mark(master) == emerg);
  }
  SUBCASE("renamed, and the entry in the new file") {
    stage s;
    s.add("2026/11/26 20:53:43 [notice] 123#123: x");
    s.log.mark(s.path);
    std::filesystem::rename(s.path, s.path + ".1");
    s.add(emerg);
    CHECK(testing::comes_true([&] { return s.log.emerg_since_mark(master) == emerg; }));
  }
  SUBCASE("truncated, and longer than before") {
    stage s;
    s.add("2026/11/26 20:53:43 [notice] 123#123: x");
    s.log.mark(s.path);
    std::filesystem::resize_file(s.path, 0);
    s.add(emerg);
    s.add("2026/11/26 20:53:43 [notice] 123#123: " + std::string(100, 'y'));
    CHECK(s.log.emerg_since_mark(master) == emerg);
  }
}
