#include "probes/access_log/tail.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>

using flipback::access_log::tail;
namespace fs = std::filesystem;

namespace {

struct log_file {
  log_file() : folder(fs::temp_directory_path() / ("flipback-tail-" + std::to_string(::getpid()))), path(folder / "access.json") {
    fs::create_directories(folder);
  }
  ~log_file() { fs::remove_all(folder); }
  void append(const std::string& text) const { std::ofstream(path, std::ios::app | std::ios::binary) << text; }
  fs::path folder;
  fs::path path;
};

std::string taken(tail& t, int reads = 1) {
  std::string all;
  for (int i = 0; i < reads; ++i) {
    const auto more = t.read([&](std::string_view line) { all += std::string(line) + "|"; });
    if (!more) return all + more.error();
  }
  return all;
}

}  // namespace

TEST_CASE("a_log_is_begun_at_its_end_and_followed_line_by_line") {
  const log_file log;
  log.append("old\n");
  tail t(log.path);
  CHECK(taken(t).empty());
  log.append("a\nb\nhal");
  CHECK(taken(t) == "a|b|");
  log.append("f\n\nc\n");
  CHECK(taken(t) == "half|c|");
}

TEST_CASE("a_renamed_log_is_read_to_its_end_before_the_new_one") {
  const log_file log;
  log.append("");
  tail t(log.path);
  taken(t);
  log.append("a\n");
  fs::rename(log.path, log.folder / "access.json.1");
  std::ofstream(log.folder / "access.json.1", std::ios::app) << "late\n";
  log.append("new\n");
  CHECK(taken(t, 6) == "a|late|new|");
}

TEST_CASE("copytruncate_begins_anew") {
  const log_file log;
  log.append("old line\n");
  tail t(log.path);
  taken(t);
  log.append("a\n");
  CHECK(taken(t) == "a|");
  fs::resize_file(log.path, 0);
  log.append("b\n");
  CHECK(taken(t) == "b|");
}

TEST_CASE("a_log_that_appears_later_is_read_from_its_first_line") {
  const log_file log;
  tail t(log.path);
  CHECK(taken(t) == "does not exist");
  log.append("first\n");
  CHECK(taken(t) == "first|");
}

TEST_CASE("a_line_without_end_is_skipped_and_counted") {
  const log_file log;
  log.append("");
  tail t(log.path);
  taken(t);
  log.append(std::string(300'000, 'x'));
  CHECK(taken(t).empty());
  log.append("\nb\n");
  CHECK(taken(t) == "b|");
  CHECK(t.skipped() == 1);
}

TEST_CASE("near_the_end_begins_at_a_whole_line") {
  const log_file log;
  log.append("aaaa\nbbbb\ncccc\n");
  tail t(log.path);
  t.start_near_end(7);
  CHECK(taken(t) == "cccc|");
}

TEST_CASE("a_folder_is_no_log") {
  const log_file log;
  tail t(log.folder);
  CHECK(taken(t) == "is no regular file");
}
