#include "agent/event_log.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <utility>

using namespace flipback;
using namespace std::chrono_literals;

namespace {

struct pipe_ends {
  pipe_ends() { REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0); }
  ~pipe_ends() {
    ::close(ends[0]);
    if (ends[1] >= 0) ::close(ends[1]);
  }
  /// All that was written, up to the end.
  std::string read() {
    ::close(ends[1]);
    ends[1] = -1;
    std::string found;
    std::array<char, 4096> some;
    for (ssize_t got = 0; (got = ::read(ends[0], some.data(), some.size())) > 0;) found.append(some.data(), static_cast<std::size_t>(got));
    return found;
  }
  std::array<int, 2> ends{};
};

event said(std::string what) {
  return {"agent.note", severity::warning, std::move(what), {}};
}

}  // namespace

TEST_CASE("with_a_full_pipe_the_end_comes_within_a_second") {
  const pipe_ends pipe;
  auto log = std::make_unique<event_log>(config::log_format::json, severity::info, pipe.ends[1]);
  for (int i = 0; i < 300; ++i) log->tell(said(std::string(1000, 'x')));
  pollfd full{pipe.ends[1], POLLOUT, 0};
  while (::poll(&full, 1, 0) == 1) std::this_thread::yield();
  const auto began = std::chrono::steady_clock::now();
  log.reset();
  CHECK(std::chrono::steady_clock::now() - began < 1s);
}

TEST_CASE("what_was_told_before_the_end_is_written_whole_and_in_order") {
  pipe_ends pipe;
  {
    event_log log(config::log_format::text, severity::info, pipe.ends[1]);
    log.tell(said("first"));
    log.tell({"agent.note", severity::debug, "too small", {}});
    log.tell(said(std::string(10'000, 'y')));
    log.tell(said("last"));
  }
  const std::string text = pipe.read();
  CHECK(std::ranges::count(text, '\n') == 3);
  CHECK(text.find("first") < text.find("yyy"));
  CHECK(text.find("yyy") < text.find("last"));
  CHECK(text.contains(std::string(10'000, 'y')));
  CHECK_FALSE(text.contains("too small"));
}

TEST_CASE("for_journald_a_line_begins_with_its_priority_but_for_json_which_would_be_none_any_more") {
  ::setenv("JOURNAL_STREAM", "8:1", 1);
  using enum config::log_format;
  for (const auto& [format, begins] : {std::pair{text, "<4>agent.note: first"}, {logfmt, "<4>time="}, {json, "{\"time\":"}}) {
    pipe_ends pipe;
    event_log(format, severity::info, pipe.ends[1]).tell(said("first"));
    CHECK(pipe.read().starts_with(begins));
  }
  ::unsetenv("JOURNAL_STREAM");
}

TEST_CASE("a_reader_who_comes_back_is_told_how_much_was_lost") {
  pipe_ends pipe;
  auto log = std::make_unique<event_log>(config::log_format::text, severity::info, pipe.ends[1]);
  for (int i = 0; i < 2000; ++i) log->tell(said(std::string(1000, 'x')));
  log->tell(said("the newest"));
  std::string text;
  std::array<char, 65536> some;
  while (!text.contains("the newest")) {
    const ssize_t got = ::read(pipe.ends[0], some.data(), some.size());
    REQUIRE(got > 0);
    text.append(some.data(), static_cast<std::size_t>(got));
  }
  log.reset();
  CHECK(text.contains("lines before this one were not read, and are lost"));
}

TEST_CASE("a_reader_who_is_gone_is_no_reason_to_stop") {
  ::signal(SIGPIPE, SIG_IGN);
  pipe_ends pipe;
  ::close(pipe.ends[0]);
  pipe.ends[0] = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const auto began = std::chrono::steady_clock::now();
  {
    event_log log(config::log_format::text, severity::info, pipe.ends[1]);
    for (int i = 0; i < 10; ++i) log.tell(said("x"));
  }
  CHECK(std::chrono::steady_clock::now() - began < 1s);
}
