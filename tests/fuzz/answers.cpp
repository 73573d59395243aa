#include "probes/net/http_exchange.hpp"
#include "tests/fuzz/spoken.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <optional>

// An HTTP server's answer to GET, or after a first byte H to HEAD. Whatever it is: what is refused is refused in words, no body is longer
// than was allowed, and how the bytes were cut on their way changes nothing.

using namespace flipback;
using fuzz::hold;

namespace {

constexpr std::size_t longest_body = 4096;

net::result<net::exchanged> answer_in(std::string_view bytes, std::size_t at_once, const std::string& method) {
  static asio::io_context loop(1);
  loop.restart();
  std::optional<net::result<net::exchanged>> came_to;
  const auto ask = [&]() -> asio::awaitable<void> {
    fuzz::spoken server(bytes, at_once);
    net::http_request request;
    request.method = method;
    request.to = *net::parse_url("http://service.test/health");
    request.answer_limit = longest_body;
    run of{};
    bool answering = false;
    came_to = co_await net::exchange_on(server, request, true, of, answering);
    hold(answering != bytes.empty());
  };
  asio::co_spawn(loop, ask(), asio::detached);
  loop.run();
  hold(came_to.has_value());
  return *std::move(came_to);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const bool head = bytes.starts_with('H') && !bytes.starts_with("HTTP");
  if (head) bytes.remove_prefix(1);
  const std::string method = head ? "HEAD" : "GET";
  const auto whole = answer_in(bytes, bytes.size(), method);
  const auto cut = answer_in(bytes, 1 + bytes.size() % 7, method);
  hold(cut.has_value() == whole.has_value());
  if (!whole) {
    hold(!whole.error().says.empty() && !cut.error().says.empty());  // of half a head it may be the one or the other that is said
    return 0;
  }
  hold(cut->answer.status == whole->answer.status && cut->answer.headers == whole->answer.headers &&
       cut->answer.body == whole->answer.body);
  hold(whole->answer.body.size() <= longest_body && !(head && !whole->answer.body.empty()));
  return 0;
}
