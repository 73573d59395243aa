#include "agent/serve/http_server.hpp"

#include "agent/serve/accepting.hpp"
#include "agent/task_group.hpp"
#include "agent/within.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

#include <stdexcept>

namespace flipback::serve {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;

namespace {

constexpr std::size_t most_connections = 64;
constexpr std::uint32_t head_limit = 8 * 1024;
constexpr std::uint64_t body_limit = 8 * 1024;
constexpr std::size_t wire_limit = 32 * 1024;  ///< of a request as it comes: extensions of chunks and trailers are in no other limit
constexpr auto patience = std::chrono::seconds(10);
constexpr int most_requests = 100;  ///< of one connection
constexpr auto as_value = asio::as_tuple(asio::use_awaitable);

tcp::endpoint parse_listen(const std::string& listen) {
  const std::size_t colon = listen.rfind(':');
  if (colon == std::string::npos) throw std::runtime_error(fmt::format("can't listen on \"{}\": expected host:port", listen));
  std::string host = listen.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host == "localhost") host = "127.0.0.1";
  boost::system::error_code error;
  const auto address = asio::ip::make_address(host, error);
  if (error) throw std::runtime_error(fmt::format("can't listen on \"{}\": {} is no address", listen, host));
  return {address, static_cast<std::uint16_t>(std::stoul(listen.substr(colon + 1)))};
}

http::response<http::string_body> respond(const http::request<http::string_body>& ask, const http_server::page& pages) {
  http::response<http::string_body> response;
  response.version(11);
  response.set(http::field::server, "flipback/" FLIPBACK_VERSION);
  response.keep_alive(ask.keep_alive());
  answer found;
  if (ask.method() != http::verb::get && ask.method() != http::verb::head) {
    found = {405, "text/plain; charset=utf-8", "only GET and HEAD are answered here\n"};
    response.set(http::field::allow, "GET, HEAD");
  } else {
    const std::string target(ask.target());
    found = pages(std::string_view(target).substr(0, target.find('?')));
  }
  response.result(found.status);
  response.set(http::field::content_type, found.type);
  response.body() = std::move(found.body);
  response.prepare_payload();
  return response;
}

constexpr std::string_view busy = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/// Whether a whole request came, in no more bytes than any has that is meant well.
asio::awaitable<bool> read_request(tcp::socket& from, beast::flat_buffer& buffer, http::request_parser<http::string_body>& into) {
  std::size_t taken = 0;
  while (!into.is_done()) {
    const auto [failed, size] = co_await http::async_read_some(from, buffer, into, as_value);
    taken += size;
    if (failed || taken > wire_limit) co_return false;
  }
  co_return true;
}

asio::awaitable<bool> send(tcp::socket& to, http::response<http::string_body>& whole) {
  const auto [failed, size] = co_await http::async_write(to, whole, as_value);
  co_return !failed;
}

asio::awaitable<void> converse(tcp::socket& with, visit& of, const http_server::page& pages) {
  beast::flat_buffer buffer(wire_limit);
  bool last = false;
  for (int answered = 1; !last; ++answered) {
    http::request_parser<http::string_body> parser;
    parser.header_limit(head_limit);
    parser.body_limit(body_limit);
    of.wait();
    if (!(co_await within(patience, read_request(with, buffer, parser))).value_or(false)) break;
    of.answer();
    http::response<http::string_body> response = respond(parser.get(), pages);
    if (answered == most_requests) response.keep_alive(false);
    last = !response.keep_alive();
    of.wait();  // until it has read the answer
    if (parser.get().method() == http::verb::head) response.body().clear();
    if (!(co_await within(patience, send(with, response))).value_or(false)) break;
  }
  beast::error_code ignored;
  with.shutdown(tcp::socket::shutdown_send, ignored);
}

}  // namespace

struct http_server::parts {
  parts(asio::io_context& loop, const tcp::endpoint& at, page p)
      : pages(std::move(p)), acceptor(loop), conversations(loop, [](const std::string&) {}) {
    acceptor.open(at.protocol());
    acceptor.set_option(tcp::acceptor::reuse_address(true));
    acceptor.bind(at);
    acceptor.listen();
  }
  page pages;
  tcp::acceptor acceptor;
  task_group conversations;
};

http_server::http_server(asio::io_context& loop, const std::string& listen, page pages) {
  const tcp::endpoint at = parse_listen(listen);
  try {
    parts_ = std::make_unique<parts>(loop, at, std::move(pages));
  } catch (const boost::system::system_error& error) {
    throw std::runtime_error(fmt::format("can't listen on {}: {}", listen, error.code().message()));
  }
}

http_server::~http_server() = default;

std::string http_server::address() const {
  const tcp::endpoint at = parts_->acceptor.local_endpoint();
  return fmt::format("{}:{}", at.address().is_v6() ? fmt::format("[{}]", at.address().to_string()) : at.address().to_string(), at.port());
}

asio::awaitable<void> http_server::serve() {
  co_await accept_all(parts_->acceptor, parts_->conversations, most_connections, busy,
                      [this](tcp::socket& with, visit& of) { return converse(with, of, parts_->pages); });
}

}  // namespace flipback::serve
