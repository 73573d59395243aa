#include "agent/process/run.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <optional>

using namespace flipback;
using namespace std::chrono_literals;

namespace {

std::expected<process::finished, std::string> ran(std::vector<std::string> argv, duration limit = 5s, std::string input = {}) {
  boost::asio::io_context loop(1);
  std::expected<process::finished, std::string> found = std::unexpected("did not end");
  boost::asio::co_spawn(
      loop, process::run(loop.get_executor(), std::move(argv), limit, process::usual_output, process::outputs::together, std::move(input)),
      [&](const std::exception_ptr&, std::expected<process::finished, std::string> done) { found = std::move(done); });
  loop.run();
  return found;
}

}  // namespace

TEST_CASE("output_and_status_come_back") {
  const auto done = ran({"sh", "-c", "echo out; echo err >&2; exit 3"});
  REQUIRE(done.has_value());
  CHECK(done->status == 3);
  CHECK(done->output == "out\nerr\n");
  CHECK_FALSE(done->timed_out);
}

TEST_CASE("a_program_learns_nothing_of_our_environment_but_where_it_is") {
  ::setenv("DATABASE_URL", "postgresql://reader:hunter2@db/estate", 1);
  ::setenv("DOCKER_HOST", "unix:///run/docker.sock", 1);
  const auto done = ran({"env"});
  ::unsetenv("DATABASE_URL");
  ::unsetenv("DOCKER_HOST");
  REQUIRE(done.has_value());
  CHECK(done->status == 0);
  CHECK_FALSE(done->output.contains("hunter2"));
  CHECK(done->output.contains("PATH=/"));
  CHECK(done->output.contains("DOCKER_HOST=unix:///run/docker.sock\n"));
}

TEST_CASE("much_output_does_not_stop_it_and_is_cut") {
  const auto done = ran({"sh", "-c", "head -c 1000000 /dev/zero"});
  REQUIRE(done.has_value());
  CHECK(done->status == 0);
  CHECK(done->output.size() == 64 * 1024);
}

TEST_CASE("at_the_limit_the_whole_group_ends_even_if_it_won_t_listen") {
  const auto began = std::chrono::steady_clock::now();
  const auto done = ran({"sh", "-c", "trap '' TERM; sleep 60 & wait; sleep 60"}, 100ms);
  REQUIRE(done.has_value());
  CHECK(done->timed_out);
  CHECK(done->status == 128 + 9);
  CHECK(std::chrono::steady_clock::now() - began < 10s);
}

TEST_CASE("cancelled_it_ends_at_once_and_leaves_nothing_behind") {
  boost::asio::io_context loop(1);
  boost::asio::cancellation_signal cancel;
  std::optional<process::finished> found;
  boost::asio::co_spawn(
      loop, process::run(loop.get_executor(), {"sh", "-c", "trap '' TERM; sleep 60"}, 50s),
      boost::asio::bind_cancellation_slot(
          cancel.slot(), [&](const std::exception_ptr&, std::expected<process::finished, std::string> done) { found = *done; }));
  boost::asio::steady_timer soon(loop, 100ms);
  soon.async_wait([&](const boost::system::error_code&) { cancel.emit(boost::asio::cancellation_type::terminal); });
  const auto began = std::chrono::steady_clock::now();
  loop.run();
  REQUIRE(found.has_value());
  CHECK(found->status == 128 + 9);
  CHECK(std::chrono::steady_clock::now() - began < 5s);
}

TEST_CASE("what_does_not_exist_is_an_error_that_names_it") {
  const auto done = ran({"/no/such/program"});
  REQUIRE_FALSE(done.has_value());
  CHECK(done.error().find("/no/such/program") != std::string::npos);
}

TEST_CASE("a_child_has_none_of_our_descriptors") {
  const boost::asio::io_context loop;
  const int ours = ::dup(0);
  const auto done =
      ran({"sh", "-c", fmt::format("for fd in $(seq 3 {}); do [ -e /proc/$$/fd/$fd ] && readlink /proc/$$/fd/$fd; done; true", ours)});
  ::close(ours);
  REQUIRE(done.has_value());
  CHECK(done->output == "");
}

TEST_CASE("standard_input_is_empty_unless_it_is_given") {
  CHECK(ran({"cat"})->output == "");
  CHECK(ran({"cat"}, 5s, "a letter\n")->output == "a letter\n");
  // More than a pipe holds, for a program that does not read it at once, and for one that never does.
  CHECK(ran({"sh", "-c", "sleep 0.1; wc -c"}, 5s, std::string(1'000'000, 'x'))->output == "1000000\n");
  CHECK(ran({"true"}, 5s, std::string(1'000'000, 'x'))->status == 0);
}
