#include "agent/record/record_file.hpp"

#include "rules/replay/record.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

using namespace flipback;
using namespace flipback::rules;
namespace fs = std::filesystem;

namespace {

constexpr instant start{std::chrono::hours(1000)};

struct place {
  place() : folder(fs::temp_directory_path() / fmt::format("flipback-record-{}", ::getpid())), path(folder / "record") {
    fs::create_directories(folder);
  }
  ~place() { fs::remove_all(folder); }
  [[nodiscard]] static std::string bytes(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  fs::path folder;
  fs::path path;
};

std::string frame(instant at) {
  replay::record_writer made;
  made.write(replay::cut_over{at});
  return made.take();
}

std::string head() {
  replay::record_writer made;
  made.write(replay::beginning{start, {}, false});
  return made.take();
}

/// "B" for a beginning, "c" for each cutover, in a file; or what is wrong with it.
std::string told(const fs::path& file) {
  const std::string bytes = place::bytes(file);
  replay::record_reader reader(bytes);
  std::string all;
  for (;;) {
    const auto entries = reader.next();
    if (!entries) return entries.error().says;
    if (entries->empty()) return all;
    for (const replay::entry& e : *entries) all += std::holds_alternative<replay::beginning>(e) ? 'B' : 'c';
  }
}

}  // namespace

TEST_CASE("a_record_goes_on_where_it_was_left_and_each_writer_begins_anew") {
  const place at;
  for (int writer = 0; writer < 2; ++writer) {
    record_file file(at.path, 1 << 20, std::chrono::hours(1));
    for (int i = 0; i < 3; ++i) REQUIRE(file.append(frame(start), head).has_value());
  }
  CHECK(told(at.path) == "BcccBccc");
}

TEST_CASE("what_a_killed_writer_left_unfinished_is_cut_off") {
  const place at;
  {
    record_file file(at.path, 1 << 20, std::chrono::hours(1));
    for (int i = 0; i < 2; ++i) REQUIRE(file.append(frame(start), head).has_value());
  }
  fs::resize_file(at.path, fs::file_size(at.path) - 1);
  record_file file(at.path, 1 << 20, std::chrono::hours(1));
  REQUIRE(file.append(frame(start), head).has_value());
  CHECK(told(at.path) == "BcBc");
}

TEST_CASE("two_files_never_have_more_than_was_allowed") {
  const place at;
  constexpr std::uint64_t most = 2000;
  record_file file(at.path, most, std::chrono::hours(1));
  for (int i = 0; i < 1000; ++i) {
    REQUIRE(file.append(frame(start + std::chrono::seconds(i)), head).has_value());
    const std::string older = record_file::older(at.path);
    CHECK(fs::file_size(at.path) + (fs::exists(older) ? fs::file_size(older) : 0) <= most);
  }
  CHECK(told(at.path).starts_with("Bc"));
  CHECK(told(record_file::older(at.path)).starts_with("Bcccc"));
}

TEST_CASE("a_file_that_is_no_record_is_left_alone") {
  const place at;
  std::ofstream(at.path) << "somebody's notes\n";
  record_file file(at.path, 1 << 20, std::chrono::hours(1));
  const auto written = file.append(frame(start), head);
  REQUIRE_FALSE(written.has_value());
  CHECK(written.error().contains("it is no record; it is left alone"));
  CHECK(place::bytes(at.path) == "somebody's notes\n");
}

TEST_CASE("a_disk_that_is_full_takes_nothing_and_what_comes_later_is_whole") {
  const place at;
  record_file file(at.path, 1 << 20, std::chrono::hours(1));
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const auto allow = [](rlim_t bytes) {
    const rlimit limit{bytes, RLIM_INFINITY};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
  };
  for (const std::size_t room : {std::size_t{5}, replay::magic.size() + head().size() + 3}) {
    allow(room);
    const auto refused = file.append(frame(start), head);
    allow(RLIM_INFINITY);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error() == "it can't be written: File too large");
  }
  REQUIRE(file.append(frame(start), head).has_value());
  std::signal(SIGXFSZ, handler);
  CHECK(told(at.path) == "Bc");
}

TEST_CASE("a_place_that_is_not_there_is_said") {
  record_file file("/nowhere/record", 1 << 20, std::chrono::hours(1));
  CHECK(file.append(frame(start), head).error() == "it can't be opened: No such file or directory");
}
