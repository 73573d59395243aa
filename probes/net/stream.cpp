#include "probes/net/stream.hpp"

#include "probes/net/certificate.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include <array>
#include <fstream>
#include <utility>

namespace flipback::net {

namespace {

using tcp = asio::ip::tcp;
using local = asio::local::stream_protocol;
constexpr auto as_value = asio::as_tuple(asio::use_awaitable);

instant now() {
  return std::chrono::steady_clock::now();
}

/// A cancelled operation is no failure of the peer: the scheduler's deadline or the end of the program did it.
void rethrow_cancelled(const boost::system::error_code& error) {
  if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
}

/// Whether the kernel may give this port to a client's socket: one that nobody listens on may then connect to itself.
bool may_be_ours(std::uint16_t port) {
  static const auto range = [] {
    std::pair<unsigned, unsigned> found{1, 65535};
    std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> found.first >> found.second;
    return found;
  }();
  return port >= range.first && port <= range.second;
}

/// What the handshake told of certificates, the peer's and ours.
struct peer_certificates {
  std::optional<double> days;
  bool demanded = false;  ///< the server asked for one of ours
  bool shown = false;     ///< we have one to show
};

template <typename Socket>
class connected final : public stream {
 public:
  connected(Socket socket, peer_certificates seen) : socket_(std::move(socket)), seen_(seen) {}

  asio::awaitable<result<std::size_t>> read_some(asio::mutable_buffer into) override {
    const auto [failed, size] = co_await socket_.async_read_some(into, as_value);
    rethrow_cancelled(failed);
    // Many servers close without TLS' goodbye; whether the answer was whole is for the protocol above to tell.
    if (failed == asio::error::eof || failed == asio::ssl::error::stream_truncated) co_return 0U;
    if (!failed) co_return size;
    if (auto refused = refusal(failed, seen_.demanded, seen_.shown)) co_return std::unexpected(std::move(*refused));
    co_return std::unexpected(failure_of(failed, "reading the answer"));
  }

  asio::awaitable<result<void>> write(asio::const_buffer all) override {
    const auto [error, size] = co_await asio::async_write(socket_, all, as_value);
    rethrow_cancelled(error);
    if (!error) co_return result<void>{};
    failure failed = failure_of(error, "sending the request");
    if (seen_.demanded) co_await explain(failed);
    co_return std::unexpected(std::move(failed));
  }

  [[nodiscard]] std::optional<double> certificate_days() const override { return seen_.days; }
  [[nodiscard]] bool certificate_demanded() const override { return seen_.demanded; }

 private:
  /// A server that refuses our certificate says so and hangs up, perhaps before we have sent anything: what it said can still be read.
  asio::awaitable<void> explain(failure& hung_up) {
    std::array<char, 1> unused{};
    const auto [failed, size] = co_await socket_.async_read_some(asio::buffer(unused), as_value);
    rethrow_cancelled(failed);
    if (auto refused = refusal(failed, seen_.demanded, seen_.shown)) hung_up = std::move(*refused);
  }

  Socket socket_;
  peer_certificates seen_;
};

asio::awaitable<result<tcp::socket>> connect_tcp(const asio::any_io_executor& executor, const std::vector<asio::ip::address>& addresses,
                                                 const endpoint& to) {
  failure last{reason::no_such_name, fmt::format("{} has no address", to.host)};
  for (const asio::ip::address& address : addresses) {
    tcp::socket socket(executor);
    const auto [error] = co_await socket.async_connect(tcp::endpoint(address, to.port), as_value);
    rethrow_cancelled(error);
    boost::system::error_code unknown;
    if (error) {
      last = failure_of(error, fmt::format("connecting to {}", to_string(to)));
    } else if (may_be_ours(to.port) && socket.local_endpoint(unknown) == tcp::endpoint(address, to.port)) {
      last = failure{reason::refused, fmt::format("connecting to {} was refused: the connection came back to ourselves", to_string(to))};
    } else {
      co_return std::move(socket);
    }
  }
  co_return std::unexpected(last);
}

asio::awaitable<result<local::socket>> connect_local(const asio::any_io_executor& executor, const endpoint& to) {
  local::socket socket(executor);
  const auto [error] = co_await socket.async_connect(local::endpoint(to.socket_path), as_value);
  rethrow_cancelled(error);
  if (error) co_return std::unexpected(failure_of(error, fmt::format("connecting to {}", to_string(to))));
  co_return std::move(socket);
}

template <typename Socket>
asio::awaitable<result<std::unique_ptr<stream>>> secure(network& through, Socket socket, const std::string& name,
                                                        const tls_options& options) {
  auto context = through.tls(options);
  if (!context) co_return std::unexpected(context.error());
  asio::ssl::stream<Socket> tls(std::move(socket), **context);
  expect_name(tls.native_handle(), name);
  peer_certificates seen;
  seen.shown = !options.client_certificate.empty();
  watch_demands(tls.native_handle(), &seen.demanded);
  const auto [error] = co_await tls.async_handshake(asio::ssl::stream_base::client, as_value);
  watch_demands(tls.native_handle(), nullptr);
  rethrow_cancelled(error);
  if (error) {
    if (auto refused = refusal(error, seen.demanded, seen.shown)) co_return std::unexpected(std::move(*refused));
    const std::string why = verification_problem(tls.native_handle(), name);
    if (!why.empty()) co_return std::unexpected(failure{reason::bad_tls, why});
    failure handshake = failure_of(error, "the TLS handshake");
    if (handshake.why == reason::bad_answer) handshake.why = reason::bad_tls;
    co_return std::unexpected(std::move(handshake));
  }
  seen.days = days_left(tls.native_handle());
  co_return std::make_unique<connected<asio::ssl::stream<Socket>>>(std::move(tls), seen);
}

template <typename Socket>
asio::awaitable<result<std::unique_ptr<stream>>> dress(network& through, Socket socket, const endpoint& to, const tls_options* tls, run& r,
                                                       connect_times& times) {
  if (tls == nullptr) co_return std::make_unique<connected<Socket>>(std::move(socket), peer_certificates{});
  r.now = phase::handshaking;
  const instant began = now();
  const std::string name = tls->server_name.empty() ? to.host : tls->server_name;
  auto secured = co_await secure(through, std::move(socket), name, *tls);
  times.tls = now() - began;
  co_return secured;
}

}  // namespace

std::string to_string(const endpoint& to) {
  if (!to.socket_path.empty()) return "unix:" + to.socket_path;
  return to.host.contains(':') ? fmt::format("[{}]:{}", to.host, to.port) : fmt::format("{}:{}", to.host, to.port);
}

asio::awaitable<result<std::unique_ptr<stream>>> connect(network& through, const endpoint& to, const tls_options* tls, run& r,
                                                         connect_times* times) {
  connect_times unused;
  connect_times& spent = times != nullptr ? *times : unused;
  if (!to.socket_path.empty()) {
    r.now = phase::connecting;
    const instant began = now();
    auto socket = co_await connect_local(through.executor(), to);
    spent.connect = now() - began;
    if (!socket) co_return std::unexpected(socket.error());
    co_return co_await dress(through, std::move(*socket), to, tls, r, spent);
  }
  r.now = phase::resolving;
  const instant began = now();
  const auto addresses = co_await through.resolve(to.host);
  const instant resolved = now();
  spent.resolve = resolved - began;
  if (!addresses) co_return std::unexpected(addresses.error());
  r.now = phase::connecting;
  auto socket = co_await connect_tcp(through.executor(), *addresses, to);
  spent.connect = now() - resolved;
  if (!socket) co_return std::unexpected(socket.error());
  co_return co_await dress(through, std::move(*socket), to, tls, r, spent);
}

}  // namespace flipback::net
