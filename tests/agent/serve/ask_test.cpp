#include "agent/serve/ask.hpp"

#include "agent/serve/control_socket.hpp"
#include "tests/folder.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <doctest/doctest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <thread>
#include <utility>

using namespace flipback;
using flipback::test::folder;
namespace asio = boost::asio;

namespace {

std::string socket_in(const folder& in) {
  return in.path("s");
}

/// Root may use every socket: for the time of a test it is nobody.
struct no_root {
  no_root() : was_root(::geteuid() == 0 && ::seteuid(65534) == 0) {}
  ~no_root() {
    if (was_root && ::seteuid(0) != 0) std::abort();
  }
  no_root(const no_root&) = delete;
  no_root& operator=(const no_root&) = delete;
  bool was_root;
};

using local = asio::local::stream_protocol;

/// One who takes a connection and does this with it.
std::string told_by_one_who(const std::function<void(local::socket&)>& does, const serve::demand& what) {
  const folder in;
  asio::io_context loop;
  local::acceptor listening(loop, socket_in(in));
  std::thread other([&] {
    local::socket with = listening.accept();
    does(with);
  });
  const auto answer = serve::ask(socket_in(in), what, "flipback hold");
  other.join();
  return answer ? answer->text : answer.error();
}

/// What a person gets who says this to an agent, and what the agent heard.
std::pair<std::string, serve::demand> said_to_agent(const serve::demand& said) {
  const folder in;
  asio::io_context loop;
  serve::demand heard;
  serve::control_socket listening(
      loop, socket_in(in),
      [&](serve::demand asked) -> asio::awaitable<serve::reply> {
        heard = std::move(asked);
        co_return serve::reply{true, "done\n"};
      },
      [](const event&) {});
  asio::cancellation_signal end;
  asio::co_spawn(loop, listening.serve(), asio::bind_cancellation_slot(end.slot(), asio::detached));
  std::string answered;
  std::thread person([&] {
    const auto answer = serve::ask(socket_in(in), said, "flipback hold");
    answered = answer ? answer->text : answer.error();
    asio::post(loop, [&] { end.emit(asio::cancellation_type::terminal); });
  });
  loop.run();
  person.join();
  return {answered, heard};
}

}  // namespace

TEST_CASE("where_nobody_listens_no_agent_does") {
  const folder in;
  CHECK(serve::ask(socket_in(in), {"status", {}, ""}, "flipback status").error() ==
        "no agent listens on " + socket_in(in) + ": No such file or directory");
  asio::io_context loop;
  {
    const local::acceptor gone(loop, socket_in(in));
  }
  CHECK(serve::ask(socket_in(in), {"status", {}, ""}, "flipback status").error() ==
        "no agent listens on " + socket_in(in) + ": Connection refused");
}

TEST_CASE("who_hangs_is_waited_for_no_longer_than_the_limit") {
  constexpr auto limit = std::chrono::milliseconds(50);
  const folder in;
  asio::io_context loop;
  local::acceptor hung(loop);
  hung.open();
  hung.bind(socket_in(in));
  hung.listen(0);  // nobody accepts: the first is let in and gets no answer, the second is not let in
  const std::string says = "the agent on " + socket_in(in) + " has not answered within 50ms";
  CHECK(serve::ask(socket_in(in), {"healthy", {}, ""}, "flipback healthy", limit).error() == says);
  CHECK(serve::ask(socket_in(in), {"healthy", {}, ""}, "flipback healthy", limit).error() == says);
}

TEST_CASE("who_has_no_right_is_told_who_has_and_what_to_type") {
  const folder in;
  asio::io_context loop;
  const local::acceptor listening(loop, socket_in(in));
  ::chmod(socket_in(in).c_str(), 0440);
  const no_root as_somebody;
  const std::string says = serve::ask(socket_in(in), {"unhold", {}, ""}, "flipback unhold").error();
  CHECK(says.starts_with("no right to use " + socket_in(in) + ": it is "));
  CHECK(says.contains("'s, with the mode 0440; type `sudo flipback unhold`"));
  CHECK_FALSE(says.contains("no agent"));
}

TEST_CASE("a_shut_folder_says_nothing_of_an_agent") {
  const folder in;
  ::chmod(in.at.c_str(), 0);
  {
    const no_root as_somebody;
    CHECK(serve::ask(socket_in(in), {"status", {}, ""}, "flipback status")
              .error()
              .starts_with("a folder on the way to " + socket_in(in) + " may not be entered"));
  }
  ::chmod(in.at.c_str(), 0755);
}

TEST_CASE("an_end_before_the_answer_says_that_no_more_is_known") {
  const auto reads_and_ends = [](local::socket& with) {
    std::string line;
    asio::read_until(with, asio::dynamic_buffer(line), '\n');
  };
  const auto ends = [](local::socket&) {};
  const serve::demand rollback{"rollback", {{"reason", "x"}}, ""};
  const std::string unknown =
      "the connection ended before an answer came: it is not known whether it was carried out; `flipback status` tells";
  CHECK(told_by_one_who(reads_and_ends, rollback) == unknown);
  CHECK(told_by_one_who(reads_and_ends, {"status", {}, ""}) == "the connection ended before an answer came; ask again");
  CHECK(told_by_one_who(ends, rollback).starts_with("the connection ended before a"));
}

TEST_CASE("bytes_that_are_no_utf8_are_sent_as_the_replacement_character") {
  const auto [answered, heard] = said_to_agent({"hold", {{"reason", "f\xFCr"}}, "J\xFCrgen"});
  CHECK(answered == "done\n");
  CHECK(heard.values.at("reason") == "f\uFFFDr");
  CHECK(heard.by.starts_with("J\uFFFDrgen (uid "));
}

TEST_CASE("an_answer_that_comes_before_all_was_sent_is_read") {
  const auto [answered, heard] = said_to_agent({"hold", {{"reason", std::string(3'000'000, 'x')}}, ""});
  CHECK(answered == "found more than 65536 bytes, expected one demand in a line\n");
  CHECK(heard.verb.empty());
}
