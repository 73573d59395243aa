#include "probes/net/http_client.hpp"

#include "agent/within.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace flipback;
using namespace std::chrono_literals;
using tcp = asio::ip::tcp;

namespace {

/// A server that answers each request with the next of these texts and then, where the text ends in '\x04', hangs up. An empty text hangs.
struct server {
  explicit server(std::vector<std::string> texts)
      : answers(std::move(texts)), acceptor(loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
    asio::co_spawn(loop, serve(), [](const std::exception_ptr&) {});
  }

  asio::awaitable<void> serve() {
    for (;;) {
      tcp::socket socket = co_await acceptor.async_accept(asio::use_awaitable);
      ++connections;
      try {
        for (bool open = true; open && next < answers.size();) {
          std::string got;
          std::array<char, 4096> part{};
          while (got.find("\r\n\r\n") == std::string::npos) {
            got.append(part.data(), co_await socket.async_read_some(asio::buffer(part), asio::use_awaitable));
          }
          asked.push_back(got);
          std::string answer = answers[next++];
          if (answer.empty()) {
            asio::steady_timer forever(loop, asio::steady_timer::time_point::max());
            co_await forever.async_wait(asio::use_awaitable);
          }
          open = answer.back() != '\x04';
          if (!open) answer.pop_back();
          co_await asio::async_write(socket, asio::buffer(answer), asio::use_awaitable);
        }
      } catch (const boost::system::system_error&) {  // the client went first
      }
    }
  }

  /// One exchange after the other on one client; what came of each, as "status body" or "reason".
  std::vector<std::string> exchange(int times, bool keep_alive, std::size_t limit = 1000) {
    std::vector<std::string> all;
    net::network network(loop.get_executor());
    net::http_client client(network, keep_alive);
    bool done = false;
    const auto ask = [&]() -> asio::awaitable<void> {
      for (int i = 0; i < times; ++i) {
        net::http_request request;
        request.to = *net::parse_url(fmt::format("http://127.0.0.1:{}/x", acceptor.local_endpoint().port()));
        request.answer_limit = limit;
        run r{std::chrono::steady_clock::now(), {}, phase::starting};
        const auto answer = co_await within(300ms, client.exchange(request, r));
        if (!answer)
          all.push_back(fmt::format("hung while {}", name_of(r.now)));
        else if (!*answer)
          all.emplace_back(name_of(answer->error().why));
        else
          all.push_back(fmt::format("{} {}", (*answer)->status, (*answer)->body));
        if (answer && *answer) last = **answer;
      }
      done = true;
    };
    asio::co_spawn(loop, ask(), [](const std::exception_ptr& thrown) {
      if (thrown) std::rethrow_exception(thrown);
    });
    while (!done) loop.run_one();
    return all;
  }

  asio::io_context loop{1};
  std::optional<net::http_answer> last;
  std::vector<std::string> answers;
  tcp::acceptor acceptor;
  std::size_t next = 0;
  int connections = 0;
  std::vector<std::string> asked;
};

using texts = std::vector<std::string>;

}  // namespace

TEST_CASE("answers_end_by_length_by_chunks_or_by_hanging_up") {
  CHECK(server({"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"}).exchange(1, false) == texts{"200 hi"});
  CHECK(server({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n1;x=y\r\ni\r\n0\r\n\r\n"}).exchange(1, false) ==
        texts{"200 hi"});
  CHECK(server({"HTTP/1.0 200 OK\r\n\r\nhi\x04"}).exchange(1, false) == texts{"200 hi"});
  CHECK(server({"HTTP/1.1 204 No Content\r\n\r\n"}).exchange(1, false) == texts{"204 "});
  CHECK(server({"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"}).exchange(1, false) == texts{"200 hi"});
}

TEST_CASE("a_status_line_may_end_after_the_status") {
  CHECK(server({"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi"}).exchange(1, false) == texts{"200 hi"});
  CHECK(server({"HTTP/1.0 503\r\n\r\n\x04"}).exchange(1, false) == texts{"503 "});
  CHECK(server({"HTTP/1.1 100\r\n\r\nHTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi"}).exchange(1, false) == texts{"200 hi"});
  CHECK(server({"HTTP/1.1 20\r\n\r\n\x04"}).exchange(1, false) == texts{"bad answer"});
  CHECK(server({"HTTP/1.1 2000\r\n\r\n\x04"}).exchange(1, false) == texts{"bad answer"});
}

TEST_CASE("answers_that_are_none_have_a_reason") {
  CHECK(server({"\x04"}).exchange(1, false) == texts{"closed"});
  CHECK(server({"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi\x04"}).exchange(1, false) == texts{"closed"});
  CHECK(server({"SSH-2.0-OpenSSH_9.2\r\n\x04"}).exchange(1, false) == texts{"bad answer"});
  CHECK(server({"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"}).exchange(1, false) == texts{"too large"});
  CHECK(server({"HTTP/1.1 200 OK\r\n\r\n" + std::string(5000, 'x') + "\x04"}).exchange(1, false) == texts{"too large"});
  CHECK(server({"HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n"}).exchange(1, false) == texts{"too large"});
}

TEST_CASE("a_server_that_never_answers_is_left_at_the_deadline") {
  CHECK(server({""}).exchange(1, false) == texts{"hung while waiting for the answer"});
}

TEST_CASE("without_keep_alive_each_request_has_its_own_connection") {
  server s(texts(3, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na\x04"));
  CHECK(s.exchange(3, false) == texts(3, "200 a"));
  CHECK(s.connections == 3);
  CHECK(s.asked.front().find("Connection: close\r\n") != std::string::npos);
  CHECK(s.asked.front().find("User-Agent: flipback/") != std::string::npos);
}

TEST_CASE("a_kept_connection_is_used_again_and_made_anew_once_it_was_closed") {
  const std::string stays = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na";
  server s({stays, stays, stays + "\x04", stays});
  CHECK(s.exchange(4, true) == texts(4, "200 a"));
  CHECK(s.connections == 2);
}

TEST_CASE("a_connection_that_the_server_wants_closed_is_not_used_again") {
  const std::string closes = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\na\x04";
  server s({closes, closes});
  CHECK(s.exchange(2, true) == texts(2, "200 a"));
  CHECK(s.connections == 2);
}

TEST_CASE("a_server_that_hangs_up_in_its_second_answer_fails_and_is_not_asked_again") {
  server s({"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi\x04",
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb"});
  CHECK(s.exchange(2, true) == texts{"200 a", "closed"});
}

TEST_CASE("a_long_body_that_may_be_json_is_read_while_it_comes") {
  const auto answer = [](const std::string& body) {
    server s({fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", body.size(), body)});
    s.exchange(1, false, 200'000);
    REQUIRE(s.last);
    return *s.last;
  };
  std::string zeros = "[0";
  while (zeros.size() < 100'000) zeros += ",0";
  const net::http_answer whole = answer("  " + zeros + "]");
  REQUIRE(whole.read_in_parts);
  CHECK(*whole.read_in_parts);
  REQUIRE(whole.json());
  CHECK((*whole.json())->as_array().size() == zeros.size() / 2);
  const net::http_answer cut = answer(zeros);
  REQUIRE(cut.read_in_parts);
  CHECK(cut.json().error().says == "the JSON in the body is cut short");
  const net::http_answer late = answer(std::string(50'000, ' ') + "[1]");
  CHECK(late.read_in_parts);
  CHECK(late.json());
  CHECK_FALSE(answer("<" + zeros).read_in_parts);
  CHECK_FALSE(answer("[0]").read_in_parts);
}
