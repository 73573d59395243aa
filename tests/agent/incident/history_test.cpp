#include "agent/incident/history.hpp"

#include "flipback/timestamp.hpp"

#include "agent/incident/book.hpp"
#include "agent/incident/history_file.hpp"
#include "tests/folder.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>
#include <sqlite3.h>

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

using namespace flipback;
using namespace flipback::incident;
using namespace std::chrono_literals;

namespace {

std::string contents(const std::string& path) {
  std::ostringstream read;
  read << std::ifstream(path).rdbuf();
  return read.str();
}

wall_time at(std::chrono::milliseconds after) {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()) + after;
}

event of(const std::string& kind, const std::string& incident = "") {
  event e{kind, severity::warning, kind + " says \"\x01\xc3\xa4\"", {}};
  e.with("seconds", 1.5).with("count", std::int64_t{7}).with("changed", true);
  if (!incident.empty()) e.with("incident", incident);
  return e;
}

unsigned mode_of(const std::string& path) {
  struct stat is{};
  REQUIRE(::stat(path.c_str(), &is) == 0);
  return is.st_mode & 07777;
}

struct place {
  flipback::test::folder in;
  std::string state = in.path("flipback.db");
  std::string file = history::file_beside(state);
  std::string log = history::log_beside(state);
};

}  // namespace

TEST_CASE("what_happened_is_read_as_it_was_told") {
  const place p;
  const wall_time when = at(0ms);
  const event begins = of("incident.began", "one");
  REQUIRE(append_to_history(p.file, {{when, begins}, {when + 1ms, of("probe.changed", "one")}, {when + 2ms, of("probe.changed")}}));
  REQUIRE(append_to_history(p.file, {{when + 3ms, of("incident.began", "two")}}));
  CHECK(mode_of(p.file) == 0600);
  const auto one = read_incident(p.file, "one");
  REQUIRE(one);
  REQUIRE(one->size() == 2);
  CHECK(one->front().at == when);
  CHECK(one->front().what.says == begins.says);
  CHECK(one->front().what.kind == begins.kind);
  CHECK(one->front().what.severity == severity::warning);
  CHECK(one->front().what.fields == begins.fields);
  CHECK(read_incident(p.file, std::nullopt)->size() == 2);
  CHECK(read_operations(p.file, 10)->size() == 2);
  CHECK(text_of(read_operations(p.file, 1)->front().what, "incident") == "two");
  CHECK(read_incident(p.in.path("none"), std::nullopt)->empty());
}

TEST_CASE("a_history_is_bounded_in_number_and_in_age") {
  const place p;
  REQUIRE(append_to_history(p.file, {{at(0ms) - kept_for - 1h, of("incident.began", "old")}}));
  CHECK(read_incident(p.file, std::nullopt)->empty());
  REQUIRE(append_to_history(p.file, {{at(0ms), of("incident.began", "first")}, {at(0ms), of("probe.changed", "first")}}));
  const std::vector<happening> many(most_kept + 10, {at(0ms), of("probe.changed")});
  REQUIRE(append_to_history(p.file, many));
  CHECK(read_incident(p.file, "first")->size() == 2);  // a probe that flaps pushes no incident out
  const std::vector<happening> of_one(most_kept + 10, {at(0ms), of("probe.changed", "second")});
  REQUIRE(append_to_history(p.file, of_one));
  CHECK(read_incident(p.file, "first")->size() == 1);  // its beginning goes last
  CHECK(read_incident(p.file, "second")->size() == 4000);
}

TEST_CASE("a_damaged_history_is_put_aside_and_a_new_one_is_begun") {
  const place p;
  std::ofstream(p.file) << std::string(8192, 'x');
  REQUIRE(append_to_history(p.file, {{at(0ms), of("incident.began", "one")}}));
  CHECK(read_incident(p.file, std::nullopt)->size() == 1);
  bool kept = false;
  for (const auto& each : std::filesystem::directory_iterator(std::filesystem::path(p.file).parent_path()))
    kept = kept || each.path().string().contains(".unreadable-");
  CHECK(kept);
}

TEST_CASE("what_is_kept_never_blocks_and_is_there_at_the_end") {
  const place p;
  boost::asio::io_context loop;
  const auto runs = boost::asio::make_work_guard(loop);
  {
    history kept(loop, p.state, [](const event& e) { FAIL(e.says); });
    kept.add(of("incident.began", "one"), at(0ms));
    kept.add(of("probe.changed", "one"), at(1ms));
    kept.add(of("rollback.closed", "one"), at(2ms));
    loop.run_for(50ms);
  }
  CHECK(read_incident(p.file, "one")->size() == 3);
  const std::string log = contents(p.log);
  CHECK(std::ranges::count(log, '\n') == 2);  // a probe's change is no operation
  CHECK(log.contains("rollback.closed says"));
  CHECK_FALSE(log.contains('\x01'));
  CHECK(mode_of(p.log) == 0640);
}

TEST_CASE("what_a_disk_does_not_take_is_tried_again_and_that_is_told_once") {
  const place p;
  boost::asio::io_context loop;
  const auto runs = boost::asio::make_work_guard(loop);
  std::vector<event> told;
  const std::string folder = std::filesystem::path(p.file).parent_path();
  std::filesystem::create_directory(p.file);  // nothing can be written there
  {
    history kept(loop, p.state, [&](event e) { told.push_back(std::move(e)); });
    kept.add(of("incident.began", "one"), at(0ms));
    loop.run_for(1500ms);
    REQUIRE(told.size() == 1);
    CHECK(told[0].kind == "history.failed");
    CHECK(told[0].says.contains(p.file));
    CHECK(std::ranges::count(contents(p.log), '\n') == 1);  // the one file does not wait for the other
    std::filesystem::remove(p.file);
    kept.add(of("incident.ended", "one"), at(1ms));
    loop.run_for(1500ms);
    REQUIRE(told.size() == 2);
    CHECK(told[1].kind == "history.kept");
  }
  CHECK(read_incident(p.file, "one")->size() == 2);
  CHECK(std::ranges::count(contents(p.log), '\n') == 2);  // each once, however often it was tried
}

TEST_CASE("an_operations_log_that_is_full_becomes_the_one_before") {
  const place p;
  REQUIRE(append_to_log(p.log, std::string(longest_log - 1, 'x') + "\n"));
  REQUIRE(append_to_log(p.log, "next\n"));
  CHECK(contents(p.log) == "next\n");
  CHECK(contents(p.log + ".1").size() == longest_log);
}

TEST_CASE("what_was_lost_is_told_and_that_it_is_kept_again_is_told_too") {
  const place p;
  boost::asio::io_context loop;
  const auto runs = boost::asio::make_work_guard(loop);
  std::vector<std::string> told;
  std::filesystem::create_directory(p.file);
  history kept(loop, p.state, [&](const event& e) { told.push_back(e.kind); });
  for (std::size_t i = 0; i < history::most_waiting + 5; ++i) kept.add(of("probe.changed"), at(0ms));
  loop.run_for(200ms);
  for (int i = 0; i < 5; ++i) kept.add(of("probe.changed"), at(0ms));
  std::filesystem::remove(p.file);
  loop.run_for(2500ms);
  CHECK(told == std::vector<std::string>{"history.failed", "history.lost", "history.kept"});
}

TEST_CASE("what_a_crash_left_half_done_is_taken_back_and_the_rest_is_read") {
  const place p;
  REQUIRE(append_to_history(p.file, {{at(0ms), of("incident.began", "one")}}));
  sqlite3* crashed = nullptr;
  REQUIRE(sqlite3_open(p.file.c_str(), &crashed) == SQLITE_OK);
  REQUIRE(sqlite3_exec(crashed, "PRAGMA cache_size=1; PRAGMA cache_spill=1; BEGIN; DELETE FROM happened;", nullptr, nullptr, nullptr) ==
          SQLITE_OK);
  for (int i = 0; i < 200; ++i)
    sqlite3_exec(crashed, "INSERT INTO happened (at, kind, incident, is_operation, line) VALUES (1, 'x', 'x', 0, hex(randomblob(2000)))",
                 nullptr, nullptr, nullptr);
  const flipback::test::folder copy;
  const std::string file = copy.path("flipback.history.db");
  for (const char* ending : {"", "-journal"}) std::filesystem::copy_file(p.file + ending, file + ending);
  sqlite3_close(crashed);
  const auto found = read_incident(file, "one");
  REQUIRE_MESSAGE(found, found.error());
  CHECK(found->size() == 1);
}

TEST_CASE("a_history_that_is_damaged_meanwhile_is_put_aside_and_that_is_told") {
  const place p;
  boost::asio::io_context loop;
  const auto runs = boost::asio::make_work_guard(loop);
  std::vector<event> told;
  history kept(loop, p.state, [&](event e) { told.push_back(std::move(e)); });
  kept.add(of("incident.began", "one"), at(0ms));
  loop.run_for(300ms);
  std::ofstream(p.file) << std::string(20000, 'x');
  kept.add(of("incident.began", "two"), at(0ms));
  loop.run_for(300ms);
  REQUIRE(told.size() == 1);
  CHECK(told[0].kind == "history.lost");
  CHECK(told[0].says.contains("it is kept as"));
  CHECK(read_incident(p.file, "two")->size() == 1);
}

TEST_CASE("a_time_that_damage_made_is_one_that_can_be_told") {
  const place p;
  REQUIRE(append_to_history(p.file, {{at(0ms), of("incident.began", "one")}, {at(1ms), of("incident.ended", "one")}}));
  sqlite3* damaging = nullptr;
  REQUIRE(sqlite3_open(p.file.c_str(), &damaging) == SQLITE_OK);
  sqlite3_exec(damaging, "UPDATE happened SET at = CASE number WHEN 1 THEN -9223372036854775807 ELSE 9223372036854775807 END", nullptr,
               nullptr, nullptr);
  sqlite3_close(damaging);
  const auto found = read_incident(p.file, "one");
  REQUIRE_MESSAGE(found, found.error());
  REQUIRE(found->size() == 2);
  CHECK(time_text(found->front().at) == "1970-01-01T00:00:00.000Z");
  CHECK(time_text(found->back().at) == "2255-03-14T16:00:00.000Z");
}
