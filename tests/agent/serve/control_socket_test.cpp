#include "agent/serve/control_socket.hpp"

#include "agent/serve/ask.hpp"
#include "tests/folder.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <doctest/doctest.h>

#include <sys/stat.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <thread>
#include <vector>

using namespace flipback;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

/// An agent's socket in a folder of its own, served by a thread.
struct served {
  served() {
    socket = std::make_unique<serve::control_socket>(
        loop, path, [this](serve::demand asked) { return answer(std::move(asked)); },
        [this](event e) { told.push_back(std::move(e.kind)); }, 5ms);
    asio::co_spawn(loop, socket->serve(), asio::bind_cancellation_slot(end.slot(), asio::detached));
    thread = std::thread([this] { loop.run(); });
  }
  ~served() { stop(); }
  served(const served&) = delete;
  served& operator=(const served&) = delete;

  void stop() {
    if (!thread.joinable()) return;
    asio::post(loop, [this] { end.emit(asio::cancellation_type::terminal); });
    thread.join();
    socket.reset();
  }
  /// "slow" is answered once the socket's file has been removed.
  asio::awaitable<serve::reply> answer(serve::demand asked) {
    asio::steady_timer pause(loop);
    while (asked.verb == "slow" && told.empty()) {
      pause.expires_after(1ms);
      co_await pause.async_wait(asio::use_awaitable);
    }
    co_return serve::reply{true, asked.verb};
  }
  [[nodiscard]] bool answers() const { return serve::ask(path, {"status", {}, ""}, "flipback status").has_value(); }

  asio::io_context loop;
  flipback::test::folder in;
  std::string path = in.path("s");
  std::vector<std::string> told;
  std::unique_ptr<serve::control_socket> socket;
  asio::cancellation_signal end;
  std::thread thread;
};

bool comes_true(const std::function<bool()>& what) {
  const auto until = std::chrono::steady_clock::now() + 10s;
  while (!what() && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(1ms);
  return what();
}

}  // namespace

TEST_CASE("a_socket_that_was_removed_is_made_again_and_told_once") {
  served agent;
  REQUIRE(agent.answers());
  std::string slow;
  std::thread person(
      [&] { slow = serve::ask(agent.path, {"slow", {}, ""}, "flipback slow").value_or(serve::reply{false, "no answer"}).text; });
  std::this_thread::sleep_for(20ms);
  std::filesystem::remove(agent.path);
  CHECK(comes_true([&] { return agent.answers(); }));
  struct stat made{};
  CHECK((::lstat(agent.path.c_str(), &made) == 0 && (made.st_mode & 07777) == 0660));
  person.join();
  CHECK(slow == "slow");  // who came by the old one is answered
  agent.stop();
  CHECK(agent.told == std::vector<std::string>{"agent.socket_made_again"});
  CHECK_FALSE(std::filesystem::exists(agent.path));
}

TEST_CASE("a_folder_that_is_gone_is_told_once_and_waited_for") {
  served agent;
  std::filesystem::remove_all(agent.in.at);
  std::this_thread::sleep_for(50ms);
  std::filesystem::create_directory(agent.in.at);
  CHECK(comes_true([&] { return agent.answers(); }));
  agent.stop();
  CHECK(agent.told == std::vector<std::string>{"agent.socket_lost", "agent.socket_made_again"});
}

TEST_CASE("another_agents_socket_is_left_alone_and_outlives_us") {
  served agent;
  asio::io_context loop;
  const asio::local::stream_protocol::acceptor other(loop, agent.in.path("other"));
  std::filesystem::rename(agent.in.path("other"), agent.path);
  struct stat theirs{};
  REQUIRE(::lstat(agent.path.c_str(), &theirs) == 0);
  std::this_thread::sleep_for(50ms);
  agent.stop();
  struct stat found{};
  CHECK((::lstat(agent.path.c_str(), &found) == 0 && found.st_ino == theirs.st_ino));
  CHECK(agent.told == std::vector<std::string>{"agent.socket_lost"});
}

// The loop stands still until both the end's timer and the socket's own are due: the end comes when there is nothing to cancel.
TEST_CASE("an_end_that_comes_between_two_looks_ends_it") {
  asio::io_context loop;
  const flipback::test::folder in;
  serve::control_socket socket(
      loop, in.path("s"), [](serve::demand) -> asio::awaitable<serve::reply> { co_return serve::reply{true, ""}; }, [](event) {}, 20ms);
  asio::cancellation_signal end;
  bool ended = false;
  asio::co_spawn(loop, socket.serve(), asio::bind_cancellation_slot(end.slot(), [&](const std::exception_ptr&) { ended = true; }));
  asio::steady_timer first(loop, 10ms);
  first.async_wait([&](const boost::system::error_code&) { end.emit(asio::cancellation_type::terminal); });
  asio::post(loop, [] { std::this_thread::sleep_for(40ms); });
  loop.run_for(2s);
  CHECK(ended);
  CHECK(loop.stopped());  // nobody listens any more
}
