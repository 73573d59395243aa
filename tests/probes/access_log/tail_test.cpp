#include "probes/access_log/tail.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
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
  void append(const std::string& text) const { write(path, text); }
  [[nodiscard]] fs::path named(const std::string& name) const { return folder / name; }
  static void write(const fs::path& to, const std::string& text) { std::ofstream(to, std::ios::app | std::ios::binary) << text; }
  /// As if it had been written to this long ago.
  static void age(const fs::path& file, std::chrono::seconds by) { fs::last_write_time(file, fs::file_time_type::clock::now() - by); }
  fs::path folder;
  fs::path path;
};

std::string taken(tail& t, int reads = 1) {
  std::string all;
  for (int i = 0; i < reads; ++i) {
    const auto more = t.read([&](std::string_view line) { all += std::string(line) + "|"; });
    if (!more) return all + more.error().says;
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
  log.append("new\n");
  CHECK(taken(t, 6) == "a|");
  log_file::write(log.named("access.json.1"), "late\n");  // by a worker that has not reopened yet
  CHECK(taken(t, 6) == "late|");
  log_file::age(log.named("access.json.1"), std::chrono::seconds(1));
  CHECK(taken(t, 6) == "new|");
}

TEST_CASE("logs_that_were_renamed_one_soon_after_the_other_are_read_in_their_order") {
  const log_file log;
  log.append("");
  tail t(log.path);
  taken(t);
  for (const int age : {9, 7, 5, 3}) {
    log.append("a" + std::to_string(age) + "\n");
    fs::rename(log.path, log.named("access.json." + std::to_string(age)));
    log_file::age(log.named("access.json." + std::to_string(age)), std::chrono::seconds(age));
  }
  fs::copy_file(log.named("access.json.9"), log.named("access.json-20261126"));  // somebody's backup
  log_file::age(log.named("access.json-20261126"), std::chrono::seconds(8));
  log.append("new\n");
  CHECK(taken(t, 10) == "a9|a7|a5|a3|new|");
}

TEST_CASE("a_renamed_log_is_kept_until_nginx_writes_to_the_new_one") {
  const log_file log;
  log.append("");
  tail t(log.path);
  taken(t);
  fs::rename(log.path, log.named("access.json.1"));
  log.append("");  // logrotate's create: nginx has not reopened yet
  CHECK(taken(t, 10).empty());
  log_file::write(log.named("access.json.1"), "late\n");
  CHECK(taken(t, 10) == "late|");
  log.append("new\n");
  log_file::age(log.named("access.json.1"), std::chrono::seconds(1));
  CHECK(taken(t, 6) == "new|");
}

TEST_CASE("what_was_written_before_a_copytruncate_is_read_from_the_copy") {
  const log_file log;
  log.append("old line\n");
  log_file::write(log.named("access.json.2"), "an older one, of which nothing is to be read\n");
  tail t(log.path);
  taken(t);
  log.append("a\n");
  CHECK(taken(t) == "a|");
  log.append("unread\n");
  fs::copy_file(log.path, log.named("access.json.1"));
  fs::resize_file(log.path, 0);
  log.append("b\n");
  CHECK(taken(t, 8) == "unread|b|");
}

TEST_CASE("the_past_reaches_back_into_the_rotated_file") {
  const log_file log;
  log_file::write(log.named("access.json-20261126"), "aaaa\nbbbb\ncccc\n");
  log_file::write(log.named("access.json.2.gz"), "no\n");
  log_file::write(log.named("access.json.api"), "another log's\n");
  log_file::age(log.named("access.json-20261126"), std::chrono::seconds(60));
  log.append("dddd\n");
  const auto since = [](int ago) { return static_cast<double>(::time(nullptr) - ago); };
  tail t(log.path);
  t.start_in_the_past(1000, since(600));
  CHECK(taken(t, 6) == "aaaa|bbbb|cccc|dddd|");
  log.append("eeee\n");
  CHECK(taken(t) == "eeee|");
  t.start_in_the_past(15, since(600));
  CHECK(taken(t, 6) == "cccc|dddd|eeee|");
  t.start_in_the_past(7, since(600));
  CHECK(taken(t, 6) == "eeee|");
  t.start_in_the_past(1000, since(30));
  CHECK(taken(t, 6) == "dddd|eeee|");
}

TEST_CASE("a_log_that_was_renamed_and_not_reopened_yet_has_its_past_there") {
  const log_file log;
  log_file::write(log.named("access.json.1"), "a\n");
  tail t(log.path);
  t.start_in_the_past(1000, 0);
  CHECK(taken(t) == "a|");
  log_file::write(log.named("access.json.1"), "late\n");
  CHECK(taken(t, 6) == "late|");
  log.append("new\n");
  log_file::age(log.named("access.json.1"), std::chrono::seconds(1));
  CHECK(taken(t, 6) == "new|");
}

TEST_CASE("a_copy_that_was_not_truncated_yet_is_no_past") {
  const log_file log;
  log.append("a\nb\n");
  fs::copy_file(log.path, log.named("access.json.1"));
  tail t(log.path);
  t.start_in_the_past(1000, 0);
  log.append("c\n");
  CHECK(taken(t, 6) == "a|b|c|");
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

TEST_CASE("ten_megabytes_without_a_line_end_take_no_memory_and_harm_nothing") {
  const log_file log;
  log.append("");
  tail t(log.path);
  taken(t);
  for (int i = 0; i < 10; ++i) log.append(std::string(1 << 20, 'x'));
  CHECK(taken(t, 12).empty());
  log.append("\n\xff\xfe\n\n");
  CHECK(taken(t) == "\xff\xfe|");
  CHECK(t.skipped() == 1);
}

TEST_CASE("what_is_no_regular_file_is_not_waited_for") {
  const log_file log;
  REQUIRE(::mkfifo(log.path.c_str(), 0600) == 0);
  tail t(log.path);
  CHECK(taken(t) == "is no regular file");
}

TEST_CASE("a_folder_is_no_log") {
  const log_file log;
  tail t(log.folder);
  CHECK(taken(t) == "is no regular file");
}
