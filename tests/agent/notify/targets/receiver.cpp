#include "receiver.hpp"

#include "agent/config/toml.hpp"
#include "agent/within.hpp"
#include "probes/net/network.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/json/parse.hpp>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <sstream>

namespace flipback::notify {

using namespace std::chrono_literals;
using tcp = asio::ip::tcp;

namespace {

std::unique_ptr<target> made(std::string_view type, const std::string& keys, settings::diagnostics& into, net::network& through) {
  const settings::node root = config::parse_toml(keys, "x.toml", into);
  settings::section from(root, "notify.x", into);
  const target_kind* kind = find_target_kind(type);
  REQUIRE(kind != nullptr);
  return kind->make(from, through);
}

std::unique_ptr<target> well_made(std::string_view type, const std::string& keys, net::network& through) {
  settings::diagnostics into;
  auto it = made(type, keys, into, through);
  for (const settings::problem& p : into.sorted()) FAIL(to_string(p));
  return it;
}

asked read_head(const std::string& head) {
  asked it;
  std::istringstream lines(head);
  std::string line;
  std::getline(lines, line);
  std::istringstream(line) >> it.method >> it.target;
  while (std::getline(lines, line) && line != "\r") {
    const std::size_t colon = line.find(": ");
    it.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2, line.size() - colon - 3));
  }
  return it;
}

asio::awaitable<asked> read_request(tcp::socket& socket, std::string& buffer) {
  const std::size_t size = co_await asio::async_read_until(socket, asio::dynamic_buffer(buffer), "\r\n\r\n", asio::use_awaitable);
  asked it = read_head(buffer.substr(0, size));
  buffer.erase(0, size);
  const std::string length_text = it.header("Content-Length");
  const std::size_t length = length_text.empty() ? 0 : std::stoul(length_text);
  while (buffer.size() < length) {
    std::array<char, 4096> part{};
    buffer.append(part.data(), co_await socket.async_read_some(asio::buffer(part), asio::use_awaitable));
  }
  it.body = buffer.substr(0, length);
  buffer.erase(0, length);
  co_return it;
}

}  // namespace

std::string asked::header(std::string_view name) const {
  const auto at = std::ranges::find_if(headers, [&](const auto& h) { return boost::beast::iequals(h.first, name); });
  return at == headers.end() ? "" : at->second;
}

boost::json::value asked::json() const {
  return boost::json::parse(body);
}

struct receiver::parts {
  explicit parts(std::vector<reply> of) : replies(std::move(of)), acceptor(loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
    asio::co_spawn(loop, serve(), [](const std::exception_ptr&) {});
  }

  asio::awaitable<void> serve() {
    for (;;) {
      tcp::socket socket = co_await acceptor.async_accept(asio::use_awaitable);
      try {
        for (std::string buffer;;) {
          got.push_back(co_await read_request(socket, buffer));
          if (next == replies.size()) break;
          const reply& with = replies[next++];
          const std::string text =
              fmt::format("HTTP/1.1 {} X\r\nContent-Length: {}\r\n{}\r\n{}", with.status, with.body.size(), with.headers, with.body);
          co_await asio::async_write(socket, asio::buffer(text), asio::use_awaitable);
        }
      } catch (const boost::system::system_error&) {  // the client went first
      }
    }
  }

  asio::io_context loop{1};
  std::vector<reply> replies;
  tcp::acceptor acceptor;
  std::size_t next = 0;
  std::vector<asked> got;
};

receiver::receiver(std::vector<reply> replies) : parts_(std::make_unique<parts>(std::move(replies))) {}
receiver::~receiver() = default;

std::string receiver::address() const {
  return fmt::format("127.0.0.1:{}", parts_->acceptor.local_endpoint().port());
}

const std::vector<asked>& receiver::requests() const {
  return parts_->got;
}

attempt receiver::deliver(std::string_view type, std::string keys, const letter& what, const std::string& kept) {
  for (std::size_t at; (at = keys.find("{url}")) != std::string::npos;) keys.replace(at, 5, url());
  net::network network(parts_->loop.get_executor());
  const auto to = well_made(type, keys, network);
  run r{std::chrono::steady_clock::now(), std::chrono::steady_clock::now() + 5s};
  std::optional<attempt> came;
  bool done = false;
  const auto deliver_it = [&]() -> asio::awaitable<void> { came = co_await within(5s, to->deliver(what, kept, r)); };
  asio::co_spawn(parts_->loop, deliver_it(), [&](const std::exception_ptr& thrown) {
    done = true;
    if (thrown) std::rethrow_exception(thrown);
  });
  while (!done) parts_->loop.run_one();
  REQUIRE(came.has_value());
  return *came;
}

void with_target(std::string_view type, const std::string& keys, void (*look)(const target&)) {
  asio::io_context loop(1);
  net::network network(loop.get_executor());
  look(*well_made(type, keys, network));
}

std::vector<std::string> problems(std::string_view type, const std::string& keys) {
  asio::io_context loop(1);
  net::network network(loop.get_executor());
  settings::diagnostics into;
  made(type, keys, into, network);
  std::vector<std::string> all;
  for (const settings::problem& p : into.sorted()) all.push_back(fmt::format("{}:{}: {}", p.at.line, p.at.column, p.says));
  return all;
}

}  // namespace flipback::notify
