#include "agent/process/running.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>

using namespace flipback;
using namespace std::chrono_literals;
using process::outputs;
using process::running;

namespace {

std::unique_ptr<running> started(boost::asio::io_context& loop, const std::string& script, outputs kept = outputs::together) {
  auto made = running::start(loop.get_executor(), {"sh", "-c", script}, kept);
  REQUIRE(made.has_value());
  return std::move(*made);
}

bool ended(boost::asio::io_context& loop, running& program, duration limit) {
  bool over = false;
  boost::asio::co_spawn(loop, program.ended_within(limit), [&](const std::exception_ptr&, bool is) {
    over = is;
    loop.stop();
  });
  loop.restart();
  loop.run();
  return over;
}

}  // namespace

TEST_CASE("a_program_that_is_waited_for_in_vain_goes_on_and_is_waited_for_again") {
  boost::asio::io_context loop(1);
  const auto program = started(loop, "echo begun; sleep 0.3; echo over; exit 4");
  CHECK_FALSE(ended(loop, *program, 50ms));
  CHECK_FALSE(program->has_ended());
  CHECK(::kill(program->pid(), 0) == 0);
  CHECK(ended(loop, *program, 10s));
  CHECK(program->has_ended());
  CHECK(program->so_far().status == 4);
  CHECK(program->so_far().output == "begun\nover\n");
  CHECK(ended(loop, *program, 0s));
}

TEST_CASE("outputs_can_be_kept_apart") {
  boost::asio::io_context loop(1);
  const auto program = started(loop, "echo out; echo err >&2", outputs::apart);
  CHECK(ended(loop, *program, 10s));
  CHECK(program->so_far().output == "out\n");
  CHECK(program->so_far().errors == "err\n");
}

TEST_CASE("who_forgets_a_program_does_not_end_it_and_the_loop_drains") {
  boost::asio::io_context loop(1);
  const auto path = std::filesystem::temp_directory_path() / fmt::format("flipback-forgotten-{}", ::getpid());
  auto program = started(loop, fmt::format("sleep 0.2; echo done > {}", path.string()));
  const pid_t pid = program->pid();
  program.reset();
  const auto began = std::chrono::steady_clock::now();
  loop.run();
  CHECK(std::chrono::steady_clock::now() - began < 150ms);
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(std::filesystem::exists(path));
  std::filesystem::remove(path);
}

TEST_CASE("a_signal_reaches_the_whole_group") {
  boost::asio::io_context loop(1);
  const auto program = started(loop, "sleep 60 & wait");
  CHECK_FALSE(ended(loop, *program, 50ms));
  program->signal(SIGKILL);
  CHECK(ended(loop, *program, 10s));
  CHECK(program->so_far().status == 128 + SIGKILL);
}
