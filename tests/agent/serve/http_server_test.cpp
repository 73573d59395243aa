#include "agent/serve/http_server.hpp"

#include "agent/serve/problem.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>

#include <string>
#include <thread>

using namespace flipback;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

/// A feed of so many words, each at once.
class words final : public serve::feed {
 public:
  asio::awaitable<std::string> next() override { co_return left_-- > 0 ? "word\n" : ""; }
  void end() override { left_ = 0; }

 private:
  int left_ = 3;
};

/// A server on a port of its own, served by a thread. "/slow" takes 300 ms.
struct served {
  served() {
    asio::co_spawn(loop, server.serve(), asio::bind_cancellation_slot(end.slot(), asio::detached));
    thread = std::thread([this] { loop.run(); });
  }
  ~served() { stop(); }
  served(const served&) = delete;
  served& operator=(const served&) = delete;

  void stop() {
    if (!thread.joinable()) return;
    asio::post(loop, [this] { end.emit(asio::cancellation_type::terminal); });
    thread.join();
  }
  asio::awaitable<serve::answer> answer(const serve::request& what) {
    serve::answer made{200, "text/plain", what.method + " " + what.path + " " + what.query + " " + what.body};
    if (what.path == "/slow") {
      asio::steady_timer pause(loop, 300ms);
      co_await pause.async_wait(asio::use_awaitable);
    }
    if (what.path == "/words") made = {200, "text/plain", "", {}, std::make_shared<words>()};
    co_return made;
  }
  tcp::socket connected() {
    const std::string at = server.address();
    tcp::socket made(outside);
    made.connect({asio::ip::make_address("127.0.0.1"), static_cast<std::uint16_t>(std::stoul(at.substr(at.rfind(':') + 1)))});
    return made;
  }
  /// What comes until the server hangs up.
  std::string said_to(const std::string& bytes) {
    tcp::socket with = connected();
    boost::system::error_code ignored;
    asio::write(with, asio::buffer(bytes), ignored);
    std::string came;
    asio::read(with, asio::dynamic_buffer(came), ignored);
    return came;
  }

  asio::io_context loop;
  asio::io_context outside;
  serve::http_server server{loop, "127.0.0.1:0", [this](const serve::request& what) { return answer(what); }};
  asio::cancellation_signal end;
  std::thread thread;
};

std::string request(const std::string& line, const std::string& more = "", const std::string& body = "") {
  return line + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + more + "\r\n" + body;
}

bool is_refused(const std::string& said, const std::string& status) {
  return said.starts_with("HTTP/1.1 " + status + " ") && said.find("application/problem+json") != std::string::npos &&
         said.find("Connection: close") != std::string::npos;
}

}  // namespace

TEST_CASE("a_request_is_handed_on_whole") {
  served at;
  CHECK(at.said_to(request("POST /a/b?c=d&e", "Content-Length: 4\r\n", "body")).ends_with("\r\n\r\nPOST /a/b c=d&e body"));
  CHECK(at.said_to(request("POST /a", "Transfer-Encoding: chunked\r\n", "2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n")).ends_with("POST /a  body"));
  const std::string head = at.said_to(request("HEAD /a"));
  CHECK(head.ends_with("\r\n\r\n"));
  CHECK(head.find("Content-Length: 9\r\n") != std::string::npos);
}

TEST_CASE("one_connection_is_asked_again_and_again") {
  served at;
  const std::string said = at.said_to("GET /one HTTP/1.1\r\nHost: a\r\n\r\n" + request("GET /two"));
  CHECK(said.find("GET /one") != std::string::npos);
  CHECK(said.ends_with("GET /two  "));
}

TEST_CASE("what_is_no_request_is_refused_in_words_and_hung_up_on") {
  served at;
  CHECK(is_refused(at.said_to("nonsense\r\n\r\n"), "400"));
  CHECK(is_refused(at.said_to("GET / HTTP/9.9\r\n\r\n"), "400"));
  CHECK(is_refused(at.said_to(request("POST /", "Content-Length: 4\r\nContent-Length: 5\r\n", "body")), "400"));
  CHECK(is_refused(at.said_to(request("POST /", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")), "400"));
  CHECK(is_refused(at.said_to(request("POST /", "Content-Length: -1\r\n")), "400"));
  CHECK(is_refused(at.said_to(request("POST /", "Transfer-Encoding: chunked\r\n", "zz\r\n")), "400"));
  CHECK(is_refused(at.said_to(request("GET /", "X: " + std::string(9000, 'x') + "\r\n")), "431"));
  CHECK(is_refused(at.said_to(request("POST /", "Content-Length: 9000\r\n")), "413"));
  CHECK(is_refused(at.said_to(request("POST /", "Transfer-Encoding: chunked\r\n", "2400\r\n" + std::string(0x2400, 'x'))), "413"));
}

TEST_CASE("a_feed_is_told_until_it_is_over_and_its_head_alone_to_who_asks_for_that") {
  served at;
  const std::string said = at.said_to("GET /words HTTP/1.1\r\nHost: a\r\n\r\n");
  CAPTURE(said);
  CHECK(said.ends_with("\r\n\r\nword\nword\nword\n"));
  CHECK(at.said_to(request("HEAD /words")).ends_with("\r\n\r\n"));
}

TEST_CASE("what_was_asked_is_answered_also_where_the_server_ends") {
  served at;
  tcp::socket with = at.connected();
  asio::write(with, asio::buffer(std::string("POST /slow HTTP/1.1\r\nHost: a\r\n\r\n")));
  std::this_thread::sleep_for(100ms);
  const auto began = std::chrono::steady_clock::now();
  at.stop();
  CHECK(std::chrono::steady_clock::now() - began < 2s);
  std::string came;
  boost::system::error_code ignored;
  asio::read(with, asio::dynamic_buffer(came), ignored);
  CHECK(came.find("POST /slow") != std::string::npos);
}
