// The least that probing over HTTP can be with Beast: a coroutine a target, a timer, connect, one GET, parse, close; each target on its own
// wake-up. What Flipback's cost a probe is held against.
//
// usage: bare_loop PORT TARGETS SECONDS [keep-alive]

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

#include <cstdlib>
#include <optional>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
using namespace std::chrono_literals;

namespace {

asio::awaitable<void> probe(tcp::endpoint to, int number, std::chrono::nanoseconds phase, bool keep_alive) {
  const auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor);
  auto due = std::chrono::steady_clock::now() + phase;
  std::optional<beast::tcp_stream> kept;
  for (;;) {
    timer.expires_at(due);
    co_await timer.async_wait(asio::use_awaitable);
    due += 1s;
    try {
      if (!kept) {
        kept.emplace(executor);
        kept->expires_after(1s);
        co_await kept->async_connect(to, asio::use_awaitable);
      }
      http::request<http::empty_body> ask(http::verb::get, fmt::format("/t/{}", number), 11);
      ask.set(http::field::host, "127.0.0.1");
      ask.keep_alive(keep_alive);
      kept->expires_after(1s);
      co_await http::async_write(*kept, ask, asio::use_awaitable);
      beast::flat_buffer buffer;
      http::response<http::string_body> answer;
      co_await http::async_read(*kept, buffer, answer, asio::use_awaitable);
      if (!keep_alive) kept.reset();
    } catch (const boost::system::system_error&) {
      kept.reset();
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const tcp::endpoint to(asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(std::atoi(argv[1])));
  const int targets = std::atoi(argv[2]);
  asio::io_context loop(1);
  for (int i = 0; i < targets; ++i)
    asio::co_spawn(loop, probe(to, i, std::chrono::nanoseconds(1s) * i / targets, argc > 4), asio::detached);
  loop.run_for(std::chrono::seconds(std::atoi(argv[3])));
  return 0;
}
