#include "agent/store/store.hpp"

#include "tests/folder.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>

using namespace flipback;
namespace fs = std::filesystem;

namespace {

using result = std::expected<void, std::string>;

struct folder : test::folder {
  [[nodiscard]] std::string file() const { return path("flipback.db"); }
  [[nodiscard]] std::string aside() const {
    std::string found;
    for (const auto& entry : fs::directory_iterator(at)) {
      if (entry.path().string().contains(".unreadable-")) found = entry.path().string();
    }
    return found;
  }
  /// As another program would.
  void sql(const std::string& text) const {
    sqlite3* database = nullptr;
    REQUIRE(sqlite3_open(file().c_str(), &database) == SQLITE_OK);
    char* error = nullptr;
    sqlite3_exec(database, text.c_str(), nullptr, nullptr, &error);
    const std::string why = error == nullptr ? "" : error;
    sqlite3_close(database);
    REQUIRE(why.empty());
  }
};

result done(boost::asio::awaitable<result> doing) {
  boost::asio::io_context loop(1);
  result came = std::unexpected("did not end");
  boost::asio::co_spawn(loop, std::move(doing), [&](const std::exception_ptr&, result r) { came = std::move(r); });
  loop.run();
  return came;
}

/// "none", "= text", or "? why it can't be read".
std::string said(const store& s, const std::string& name) {
  const auto found = s.get(name);
  if (!found) return "? " + found.error();
  return *found ? "= " + **found : "none";
}

/// A store with the fact "latch", and none of the name "hold".
void fill(const std::string& file) {
  store s(file);
  REQUIRE(done(s.put("latch", "shut")));
}

void spoil(const std::string& file, std::size_t from, std::size_t bytes) {
  std::fstream out(file, std::ios::binary | std::ios::in | std::ios::out);
  out.seekp(static_cast<std::streamoff>(from));
  out << std::string(bytes, '\x5a');
}

}  // namespace

TEST_CASE("facts_are_there_again_after_a_restart") {
  const folder f;
  const std::string any("a\0b\xff", 4);
  {
    store s(f.file());
    CHECK(s.trouble().empty());
    CHECK(said(s, "latch") == "none");
    CHECK(done(s.put("latch", "shut")));
    CHECK(done(s.put("latch", "shut again")));
    CHECK(said(s, "latch") == "= shut again");
    CHECK(done(s.put("seen", "'; DROP TABLE facts; --")));
    CHECK(done(s.put(any, any)));
    CHECK(done(s.put("empty", "")));
  }
  store s(f.file());
  CHECK(said(s, "latch") == "= shut again");
  CHECK(said(s, "seen") == "= '; DROP TABLE facts; --");
  CHECK(said(s, any) == "= " + any);
  CHECK(said(s, "empty") == "= ");
  CHECK(done(s.forget("latch")));
  CHECK(said(s, "latch") == "none");
}

TEST_CASE("many_writes_at_once_all_arrive_up_to_a_bound") {
  const folder f;
  store s(f.file());
  boost::asio::io_context loop(1);
  int kept = 0;
  int refused = 0;
  for (int i = 0; i < 200; ++i) {
    boost::asio::co_spawn(loop, s.put(std::to_string(i), "x"), [&](const std::exception_ptr&, const result& r) { ++(r ? kept : refused); });
  }
  loop.run();
  CHECK(kept >= 64);
  CHECK(kept + refused == 200);
}

TEST_CASE("a_second_agent_on_the_same_state_refuses") {
  const folder f;
  const store first(f.file());
  CHECK_THROWS_WITH_AS(store{f.file()}, doctest::Contains("another agent is running"), std::runtime_error);
}

TEST_CASE("the_lock_of_an_agent_that_was_killed_while_it_started_a_program_is_waited_for") {
  const folder f;
  const int held = ::open((f.file() + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  REQUIRE(held >= 0);
  REQUIRE(::flock(held, LOCK_EX | LOCK_NB) == 0);
  std::thread child([held] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    ::close(held);
  });
  CHECK_NOTHROW(store{f.file()});
  child.join();
}

TEST_CASE("the_state_is_its_owners_alone") {
  const folder f;
  const auto mode_of = [](const std::string& file) {
    struct stat is{};
    REQUIRE(::stat(file.c_str(), &is) == 0);
    return is.st_mode & 07777;
  };
  ::umask(0);
  {
    store s(f.file());
    REQUIRE(done(s.put("latch", "shut")));
    CHECK(mode_of(f.file()) == 0600);
    CHECK(mode_of(f.file() + "-wal") == 0600);
  }
  fs::permissions(f.file(), fs::perms(0644));
  const store again(f.file());
  ::umask(022);
  CHECK(mode_of(f.file()) == 0600);
  CHECK(said(again, "latch") == "= shut");
}

TEST_CASE("what_was_kept_before_there_was_a_version_is_taken_over") {
  const folder f;
  f.sql(
      "CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID; INSERT INTO facts VALUES ('latch', 'shut');"
      "CREATE TABLE incidents (id TEXT PRIMARY KEY, outcome TEXT NOT NULL, record TEXT NOT NULL) WITHOUT ROWID;");
  for (int start = 0; start < 2; ++start) {
    const store s(f.file());
    CHECK(s.trouble().empty());
    CHECK(said(s, "latch") == "= shut");
    CHECK(said(s, "hold") == "none");
  }
}

TEST_CASE("a_damaged_database_is_kept_beside_and_what_it_said_is_not_taken_for_none") {
  struct line {
    std::string_view what;
    std::function<void(const folder&)> spoils;
  };
  for (const line& l :
       {line{"no database", [](const folder& f) { std::ofstream(f.file()) << std::string(10'000, 'x'); }},
        line{"its head", [](const folder& f) { spoil(f.file(), 0, 100); }},
        line{"its list of tables", [](const folder& f) { spoil(f.file(), 100, 3900); }},
        line{"the page of the facts", [](const folder& f) { spoil(f.file(), 4096, 4096); }},
        line{"what the page of the facts says of itself, though they can be read", [](const folder& f) { spoil(f.file(), 4096 + 7, 1); }},
        line{"cut off", [](const folder& f) { fs::resize_file(f.file(), 4096); }},
        line{"without its table", [](const folder& f) { f.sql("DROP TABLE known"); }}}) {
    CAPTURE(l.what);
    const folder f;
    fill(f.file());
    l.spoils(f);
    std::ifstream in(f.file(), std::ios::binary);
    const std::string spoilt{std::istreambuf_iterator<char>(in), {}};
    {
      store s(f.file());
      REQUIRE_FALSE(f.aside().empty());
      CHECK(s.trouble().contains(f.aside()));
      CHECK(s.trouble().contains("damaged"));
      CHECK(said(s, "latch") == "? " + s.trouble());
      CHECK(said(s, "hold") == "? " + s.trouble());
      CHECK(done(s.put("latch", "open")));
      CHECK(said(s, "latch") == "= open");
    }
    std::ifstream beside(f.aside(), std::ios::binary);
    CHECK((std::string{std::istreambuf_iterator<char>(beside), {}} == spoilt));
    // It is still not known whether there was a hold.
    store s(f.file());
    CHECK(said(s, "latch") == "= open");
    CHECK(said(s, "hold").starts_with("? "));
    CHECK(done(s.forget("hold")));
    CHECK(said(s, "hold") == "none");
  }
}

TEST_CASE("a_file_that_is_there_and_empty_is_not_taken_for_none") {
  const folder f;
  fill(f.file());
  fs::resize_file(f.file(), 0);
  fs::remove(f.file() + "-wal");
  {
    store s(f.file());
    CHECK(s.trouble().contains("is there and empty"));
    CHECK(said(s, "hold").contains("is there and empty"));
    REQUIRE(done(s.put("hold", "until noon")));
    CHECK(said(s, "hold") == "= until noon");
  }
  const store again(f.file());
  CHECK(said(again, "latch").contains("is there and empty"));
}

TEST_CASE("a_crash_between_putting_a_damaged_database_aside_and_the_new_one_does_not_make_it_none") {
  const folder f;
  fill(f.file());
  fs::rename(f.file(), f.file() + ".unreadable-20261129T033012Z");
  const store s(f.file());
  CHECK(said(s, "latch").starts_with("? "));
  CHECK(said(s, "latch").contains(".unreadable-20261129T033012Z"));
}

TEST_CASE("a_newer_database_is_refused_by_the_version_that_wrote_it_and_stays_as_it_is") {
  const folder f;
  fill(f.file());
  f.sql("PRAGMA user_version = 7; UPDATE written SET value = '9.1.0' WHERE what = 'by'");
  const store s(f.file());
  CHECK_MESSAGE(s.trouble().contains("was written by flipback 9.1.0 in its form 7"), s.trouble());
  CHECK(said(s, "latch") == "? " + s.trouble());
  CHECK(s.trouble().contains(f.aside()));
}

TEST_CASE("without_its_folder_facts_can_not_be_read_and_writes_say_why_until_it_is_there") {
  const folder f;
  const fs::path state = f.at / "state";
  std::ofstream(state) << "in the way";
  const std::string file = (state / "flipback.db").string();
  {
    store s(file);
    CHECK(s.trouble().contains(file));
    CHECK(said(s, "latch") == "? " + s.trouble());
    const result refused = done(s.put("latch", "shut"));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().contains(file));
    fs::remove(state);
    CHECK(done(s.put("latch", "shut")));
    CHECK(said(s, "latch") == "= shut");
  }
  CHECK(said(store(file), "latch") == "= shut");
}

TEST_CASE("a_folder_that_comes_late_brings_what_was_kept_in_it") {
  const folder f;
  const fs::path state = f.at / "state";
  const std::string file = (state / "flipback.db").string();
  fill(file);
  fs::rename(state, f.at / "unmounted");
  std::ofstream(state) << "in the way";
  store s(file);
  CHECK(said(s, "latch").starts_with("? "));
  fs::remove(state);
  fs::rename(f.at / "unmounted", state);
  CHECK(done(s.put("hold", "me")));
  CHECK(said(s, "latch") == "= shut");
}

TEST_CASE("a_file_that_is_taken_away_is_written_anew_with_all_that_it_said") {
  const folder f;
  const std::string file = (f.at / "state" / "flipback.db").string();
  {
    store s(file);
    REQUIRE(done(s.put("latch", "shut")));
    fs::remove_all(f.at / "state");
    CHECK(done(s.put("hold", "me")));
    CHECK_THROWS_AS(store{file}, std::runtime_error);
  }
  const store s(file);
  CHECK(said(s, "latch") == "= shut");
  CHECK(said(s, "hold") == "= me");
}

TEST_CASE("nothing_of_the_state_is_mapped_memory_which_kills_where_a_disk_takes_nothing_more") {
  const folder f;
  fill(f.file());
  fs::create_symlink("/nowhere/at/all", f.file() + "-shm");  // as on a full disk: it can't be made
  store s(f.file());
  std::ifstream maps("/proc/self/maps");
  const std::string mapped(std::istreambuf_iterator<char>(maps), {});
  CHECK_FALSE(mapped.empty());
  CHECK_FALSE(mapped.contains(f.at.string()));
  CHECK(s.trouble().empty());
  CHECK(said(s, "latch") == "= shut");
  const result put = done(s.put("latch", "open"));
  CHECK_MESSAGE(put.has_value(), put.error());
}

TEST_CASE("somebody_who_reads_the_state_at_the_start_makes_nothing_forgotten") {
  const folder f;
  fill(f.file());
  sqlite3* reader = nullptr;
  REQUIRE(sqlite3_open(f.file().c_str(), &reader) == SQLITE_OK);
  REQUIRE(sqlite3_exec(reader, "SELECT count(*) FROM known", nullptr, nullptr, nullptr) == SQLITE_OK);
  {
    store s(f.file());
    CHECK(s.trouble().empty());
    CHECK(said(s, "latch") == "= shut");
    CHECK(done(s.put("latch", "open")));
  }
  sqlite3_close(reader);
  CHECK(said(store(f.file()), "latch") == "= open");
}

TEST_CASE("each_write_tells_how_long_the_disk_took_and_one_that_fails_too") {
  const folder f;
  std::atomic<int> told = 0;
  fill(f.file());
  f.sql("CREATE TRIGGER refused BEFORE INSERT ON known WHEN new.name = 'hold' BEGIN SELECT RAISE(FAIL, 'no'); END");
  {
    store s(f.file());
    s.on_write([&told](duration took) {
      CHECK(took > duration{});
      ++told;
    });
    CHECK(done(s.put("latch", "shut")));
    CHECK(told == 1);
    CHECK_FALSE(done(s.put("hold", "me")));
  }
  CHECK(told == 2);
}
