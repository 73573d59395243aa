// Answers every GET at once with a small JSON and notes when each target was asked: GET /t/N counts for target N, GET /dump gives what was
// noted since the last dump as "N time time …" lines (seconds on the monotonic clock), GET /hang/N is never answered.
//
// usage: target_server PORT

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include <cstdlib>
#include <map>
#include <string>
#include <vector>

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

namespace {

std::map<int, std::vector<double>> asked;

std::string answer_to(std::string_view head) {
  std::string body = R"({"status":"healthy","version":"v1.2.3"})";
  if (head.starts_with("GET /t/")) {
    const double now = std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
    asked[std::atoi(head.data() + 7)].push_back(now);
  } else if (head.starts_with("GET /dump")) {
    body.clear();
    for (const auto& [number, times] : asked) {
      fmt::format_to(std::back_inserter(body), "{}", number);
      for (const double t : times) fmt::format_to(std::back_inserter(body), " {:.6f}", t);
      body += '\n';
    }
    asked.clear();
  }
  const bool keep = head.find("onnection: close") == std::string_view::npos;
  return fmt::format("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: {}\r\n\r\n{}", body.size(),
                     keep ? "keep-alive" : "close", body);
}

asio::awaitable<void> converse(tcp::socket socket) {
  std::string read;
  std::array<char, 2048> buffer{};
  try {
    for (;;) {
      std::size_t end = 0;
      while ((end = read.find("\r\n\r\n")) == std::string::npos) {
        const std::size_t size = co_await socket.async_read_some(asio::buffer(buffer), asio::use_awaitable);
        read.append(buffer.data(), size);
      }
      if (read.starts_with("GET /hang")) {
        asio::steady_timer forever(socket.get_executor(), asio::steady_timer::time_point::max());
        co_await forever.async_wait(asio::use_awaitable);
      }
      const std::string answer = answer_to(read);
      read.erase(0, end + 4);
      co_await asio::async_write(socket, asio::buffer(answer), asio::use_awaitable);
      if (answer.find("Connection: close") != std::string::npos) break;
    }
  } catch (const boost::system::system_error&) {  // the client has gone
  }
}

asio::awaitable<void> serve(std::uint16_t port) {
  tcp::acceptor acceptor(co_await asio::this_coro::executor, tcp::endpoint(asio::ip::address_v4::loopback(), port));
  for (;;) {
    auto socket = co_await acceptor.async_accept(asio::use_awaitable);
    asio::co_spawn(acceptor.get_executor(), converse(std::move(socket)), asio::detached);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  asio::io_context loop(1);
  asio::co_spawn(loop, serve(static_cast<std::uint16_t>(std::atoi(argv[1]))), asio::detached);
  loop.run();
}
