// What the journal does with a disk that fails, is full, or hangs.

#include "agent/rollback/journal.hpp"
#include "tests/agent/rollback/journaling.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <thread>

using namespace flipback;
using namespace flipback::test;
using namespace std::chrono_literals;

TEST_CASE("a_row_that_can_not_be_written_is_an_error_and_is_written_before_the_next") {
  struct line {
    std::string_view what;
    std::atomic<int> faulty_disk::* fault;
  };
  for (const line& l : {line{"write", &faulty_disk::write_error}, line{"sync", &faulty_disk::sync_error}}) {
    CAPTURE(l.what);
    const journal_folder f;
    const auto faulty = std::make_shared<faulty_disk>();
    journal j(f.file(), faulty);
    REQUIRE(j.read().has_value());
    *faulty.*l.fault = EIO;
    const result begun = done(j.write(first("a")));
    REQUIRE_FALSE(begun.has_value());
    CHECK(begun.error().contains(f.file()));
    CHECK(begun.error().contains("Input/output error"));
    CHECK_FALSE(done(j.write(next(1))));
    *faulty.*l.fault = 0;
    CHECK(done(j.write(next(2))));
    CHECK(read(f.file()).size() == 3);
    *faulty.*l.fault = EIO;
    CHECK_FALSE(done(j.forget()));
    *faulty.*l.fault = 0;
    // What could not be forgotten is forgotten before another begins.
    CHECK(done(j.write(first("b"))));
    REQUIRE(read(f.file()).size() == 1);
    CHECK(read(f.file()).front().of.id == "b");
  }
}

TEST_CASE("each_row_is_synced_before_it_is_said_to_be_written") {
  const journal_folder f;
  const auto watched = std::make_shared<faulty_disk>();
  journal j(f.file(), watched);
  REQUIRE(done(j.write(first("a"))));
  const int before = watched->syncs;
  REQUIRE(done(j.write(next(1))));
  CHECK(watched->syncs == before + 1);
}

TEST_CASE("a_full_disk_does_not_stop_an_attempt_that_has_its_room") {
  const journal_folder f;
  const auto faulty = std::make_shared<faulty_disk>();
  journal j(f.file(), faulty);
  REQUIRE(j.read().has_value());
  const row begun = first("a", 300'000);
  const std::size_t room = room_for(begun.of);
  REQUIRE(done(j.reserve(room)));
  CHECK(f.bytes().size() == room);
  CHECK(read(f.file()).empty());
  faulty->full_from = room;
  for (int attempt = 0; attempt < 3; ++attempt) {
    REQUIRE(done(j.write(begun)));
    for (std::uint64_t n = 1; n <= 64; ++n) REQUIRE(done(j.write(next(n))));
    const result more = done(j.write(next(65)));
    REQUIRE_FALSE(more.has_value());
    CHECK(more.error().contains("No space left"));
    REQUIRE(done(j.forget()));
  }
  CHECK(f.bytes().size() == room);
  faulty->allocate_error = ENOSPC;
  CHECK_FALSE(done(j.reserve(2 * room)));
  CHECK(done(j.write(begun)));
}

TEST_CASE("a_disk_that_hangs_is_not_waited_for_and_what_it_takes_late_is_in_order") {
  const journal_folder f;
  const auto faulty = std::make_shared<faulty_disk>();
  journal j(f.file(), faulty);
  REQUIRE(done(j.write(first("a"))));
  faulty->hang(true);
  const auto began = std::chrono::steady_clock::now();
  const result hung = done(j.write(next(1)));
  REQUIRE_FALSE(hung.has_value());
  CHECK(hung.error().contains("2s"));
  CHECK(std::chrono::steady_clock::now() - began < 4s);
  asio::io_context loop(1);
  std::vector<bool> came;
  for (std::uint64_t n = 2; n <= 4; ++n) {
    asio::co_spawn(loop, j.write(next(n)), [&came](const std::exception_ptr&, const result& r) { came.push_back(r.has_value()); });
  }
  loop.poll();
  faulty->hang(false);
  loop.run();
  CHECK(came == std::vector{true, true, true});
  CHECK(read(f.file()).size() == 5);
}

TEST_CASE("nothing_is_written_after_it_was_forgotten_however_late") {
  const journal_folder f;
  const auto faulty = std::make_shared<faulty_disk>();
  journal j(f.file(), faulty);
  REQUIRE(done(j.write(first("a"))));
  faulty->hang(true);
  asio::io_context loop(1);
  std::vector<std::string> came;
  const auto note = [&came](std::string name) {
    return [&came, name](const std::exception_ptr&, const result& r) { came.push_back(name + (r ? " yes" : " no")); };
  };
  asio::co_spawn(loop, j.write(next(1)), note("1"));
  loop.poll();
  while (faulty->writes < 3) std::this_thread::yield();  // its head, its first row, and this one, in which it hangs
  asio::co_spawn(loop, j.write(next(2)), note("2"));
  loop.poll();
  asio::co_spawn(loop, j.forget(), note("forgotten"));
  loop.poll();
  asio::co_spawn(loop, j.write(first("b")), note("b"));
  loop.poll();
  faulty->write_error = 0;
  faulty->hang(false);
  loop.run();
  CHECK(came == std::vector<std::string>{"2 no", "1 yes", "forgotten yes", "b yes"});
  REQUIRE(read(f.file()).size() == 1);
  CHECK(read(f.file()).front().of.id == "b");
}

TEST_CASE("a_row_that_fails_late_is_not_tried_again_once_it_is_forgotten") {
  const journal_folder f;
  const auto faulty = std::make_shared<faulty_disk>();
  journal j(f.file(), faulty);
  REQUIRE(done(j.write(first("a"))));
  faulty->torn_after = 10;
  CHECK_FALSE(done(j.write(next(1))));
  faulty->torn_after.reset();
  CHECK(done(j.forget()));
  CHECK(read(f.file()).empty());
  CHECK(done(j.write(first("b"))));
  CHECK(read(f.file()).size() == 1);
}

TEST_CASE("a_row_that_does_not_follow_is_refused_and_stops_nothing") {
  const journal_folder f;
  journal j(f.file(), make_disk());
  REQUIRE(j.read().has_value());
  CHECK_FALSE(done(j.write(next(1))));
  REQUIRE(done(j.write(first("a"))));
  CHECK_FALSE(done(j.write(first("b"))));
  CHECK_FALSE(done(j.write(next(2))));
  CHECK(done(j.write(next(1))));
  CHECK(read(f.file()).size() == 2);
  CHECK(read(f.file()).front().of.id == "a");
}

TEST_CASE("a_disk_that_hangs_for_good_does_not_hold_up_the_end") {
  const journal_folder f;
  const auto faulty = std::make_shared<faulty_disk>();
  const auto began = std::chrono::steady_clock::now();
  {
    journal j(f.file(), faulty);
    REQUIRE(j.read().has_value());
    faulty->hang(true);
    asio::io_context loop(1);
    asio::co_spawn(loop, j.write(first("a")), [](const std::exception_ptr&, const result&) {});
    loop.poll();
  }
  CHECK(std::chrono::steady_clock::now() - began < 4s);
  faulty->hang(false);
  while (faulty.use_count() > 1) std::this_thread::yield();
}
