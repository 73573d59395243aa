#include "agent/serve/http_server.hpp"

#include "agent/serve/accepting.hpp"
#include "agent/serve/problem.hpp"
#include "agent/task_group.hpp"
#include "agent/within.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
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

using http_request = http::request_parser<http::string_body>;
using http_response = http::response<http::string_body>;

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

constexpr std::string_view busy = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/// Whether this coroutine has been cancelled; it goes on as if it had not been.
asio::awaitable<bool> is_cancelled() {
  const asio::cancellation_state asked = co_await asio::this_coro::cancellation_state;
  const bool is = asked.cancelled() != asio::cancellation_type::none;
  if (is) co_await asio::this_coro::reset_cancellation_state();
  co_return is;
}

/// Reads a whole request, in no more bytes than any has that is meant well. The error is what was wrong with it.
asio::awaitable<beast::error_code> read_request(tcp::socket& from, beast::flat_buffer& buffer, http_request& into) {
  std::size_t taken = 0;
  while (!into.is_done()) {
    const auto [failed, size] = co_await http::async_read_some(from, buffer, into, as_value);
    taken += size;
    if (failed) co_return failed;
    if (taken > wire_limit) co_return make_error_code(http::error::body_limit);
  }
  co_return beast::error_code{};
}

/// What is said to whoever sends what is no request; nothing where there is nobody to hear it, or nothing was sent.
std::optional<answer> refusal_of(beast::error_code wrong) {
  if (wrong == http::error::end_of_stream || wrong == http::error::partial_message) return std::nullopt;
  if (wrong == http::error::header_limit) return problem(431, fmt::format("found a head of more than {} bytes, expected less", head_limit));
  if (wrong == http::error::body_limit || wrong == http::error::buffer_overflow)
    return problem(413, fmt::format("found a body of more than {} bytes, expected less", body_limit));
  if (wrong.category() != make_error_code(http::error::bad_method).category()) return std::nullopt;
  return problem(400, fmt::format("found no request of HTTP/1.1: {}", wrong.message()));
}

request as_request(const http_request::value_type& read, const tcp::socket& with) {
  boost::system::error_code ignored;
  const std::string_view target(read.target());
  const std::size_t mark = std::min(target.find('?'), target.size());
  request made{.method = std::string(read.method_string()),
               .path = std::string(target.substr(0, mark)),
               .query = std::string(target.substr(std::min(mark + 1, target.size()))),
               .headers = {},
               .body = read.body(),
               .from = with.remote_endpoint(ignored).address(),
               .to = with.local_endpoint(ignored).address()};
  for (const auto& field : read) made.headers.emplace_back(field.name_string(), field.value());
  return made;
}

http_response as_response(answer& given) {
  http_response made;
  made.version(11);
  made.result(given.status);
  made.set(http::field::server, "flipback/" FLIPBACK_VERSION);
  made.set(http::field::content_type, given.type);
  for (const auto& [name, value] : given.headers) made.set(name, value);
  made.body() = std::move(given.body);
  return made;
}

asio::awaitable<bool> send(tcp::socket& to, http_response& whole) {
  const auto [failed, size] = co_await http::async_write(to, whole, as_value);
  co_return !failed;
}

asio::awaitable<bool> send(tcp::socket& to, const std::string& text) {
  const auto [failed, size] = co_await asio::async_write(to, asio::buffer(text), as_value);
  co_return !failed;
}

/// Ends the feed once the other side has hung up, which nothing else would show until there is something to tell.
asio::awaitable<void> end_when_left(tcp::socket& with, std::shared_ptr<feed> told) {
  std::array<char, 256> unheard{};
  for (std::size_t taken = 0; taken <= wire_limit;) {
    const auto [failed, size] = co_await with.async_read_some(asio::buffer(unheard), as_value);
    if (failed) break;
    taken += size;
  }
  told->end();
}

/// Its length is not known: the connection's end is its end.
asio::awaitable<void> tell_all(tcp::socket& with, visit& of, std::shared_ptr<feed> told) {
  for (;;) {
    of.answer();
    const std::string news = co_await told->next();
    if (news.empty()) break;
    of.wait();  // until it has read that
    if (!(co_await within(patience, send(with, news))).value_or(false)) break;
  }
  told->end();
}

}  // namespace

struct http_server::parts {
  parts(asio::io_context& l, const tcp::endpoint& at, handler h)
      : loop(l), answers(std::move(h)), acceptor(loop), conversations(loop, [](const std::string&) {}) {
    acceptor.open(at.protocol());
    acceptor.set_option(tcp::acceptor::reuse_address(true));
    acceptor.bind(at);
    acceptor.listen();
  }
  asio::awaitable<void> converse(tcp::socket& with, visit& of);
  asio::awaitable<std::optional<answer>> answer_of(beast::error_code wrong, const http_request::value_type& read, const tcp::socket& with);
  asio::awaitable<answer> answer_to(request asked);
  asio::awaitable<bool> give(tcp::socket& with, visit& of, answer given, bool is_head, bool last);
  asio::awaitable<void> stream(tcp::socket& with, visit& of, std::shared_ptr<feed> told);

  asio::io_context& loop;
  handler answers;
  tcp::acceptor acceptor;
  task_group conversations;
};

/// What is answered to what was read; nothing: there is nobody to hear it. A coroutine of its own asks, so that its cancellation is not
/// ours.
asio::awaitable<std::optional<answer>> http_server::parts::answer_of(beast::error_code wrong, const http_request::value_type& read,
                                                                     const tcp::socket& with) {
  if (wrong) co_return refusal_of(wrong);
  co_return co_await asio::co_spawn(loop, answer_to(as_request(read, with)), asio::use_awaitable);
}

asio::awaitable<answer> http_server::parts::answer_to(request asked) {
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  co_return co_await answers(asked);
}

asio::awaitable<void> http_server::parts::stream(tcp::socket& with, visit& of, std::shared_ptr<feed> told) {
  task_group listening(loop, [](const std::string&) {});
  listening.spawn(end_when_left(with, told));
  co_await tell_all(with, of, told);
  listening.cancel();
  co_await asio::this_coro::reset_cancellation_state();
  co_await listening.join();
}

/// Whether the answer was taken, and all that is told after it.
asio::awaitable<bool> http_server::parts::give(tcp::socket& with, visit& of, answer given, bool is_head, bool last) {
  const std::shared_ptr<feed> told = given.followed_by;
  http_response response = as_response(given);
  if (!told) response.prepare_payload();
  response.keep_alive(!last);
  if (is_head) response.body().clear();
  of.wait();  // until it has read the answer
  const bool taken = (co_await within(patience, send(with, response))).value_or(false);
  if (taken && told && !is_head) co_await stream(with, of, told);
  if (told) told->end();
  co_return taken;
}

asio::awaitable<void> http_server::parts::converse(tcp::socket& with, visit& of) {
  beast::flat_buffer buffer(wire_limit);
  co_await asio::this_coro::throw_if_cancelled(false);  // what was asked is answered first
  bool last = false;
  for (int answered = 1; !last; ++answered) {
    http_request parser;
    parser.header_limit(head_limit);
    parser.body_limit(body_limit);
    of.wait();
    const auto wrong = co_await within(patience, read_request(with, buffer, parser));
    if (!wrong) break;
    of.answer();
    std::optional<answer> given = co_await answer_of(*wrong, parser.get(), with);
    if (!given) break;
    const bool agent_ends = co_await is_cancelled();
    last = *wrong || agent_ends || given->followed_by || answered == most_requests || !parser.get().keep_alive();
    const bool is_head = parser.get().method() == http::verb::head;
    if (!co_await give(with, of, *std::move(given), is_head, last)) break;
  }
  beast::error_code ignored;
  with.shutdown(tcp::socket::shutdown_send, ignored);
}

http_server::http_server(asio::io_context& loop, const std::string& listen, handler answers) {
  const tcp::endpoint at = parse_listen(listen);
  try {
    parts_ = std::make_unique<parts>(loop, at, std::move(answers));
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
                      [this](tcp::socket& with, visit& of) { return parts_->converse(with, of); });
}

}  // namespace flipback::serve
