#include "probes/net/http_client.hpp"

#include "probes/net/http_exchange.hpp"

#include <boost/beast/core/string.hpp>

#include <algorithm>
#include <utility>

namespace flipback::net {

namespace {

instant now() {
  return std::chrono::steady_clock::now();
}

}  // namespace

std::string host_of(const http_request& ask) {
  if (!ask.host.empty()) return ask.host;
  const url& to = ask.to;
  if (!to.to.socket_path.empty()) return "localhost";
  const bool usual = to.to.port == (to.tls ? 443 : 80);
  std::string host = to_string(to.to);
  if (usual) host.resize(host.rfind(':'));
  return host;
}

const std::string* http_answer::header(std::string_view name) const {
  const auto at = std::ranges::find_if(headers, [&](const auto& h) { return boost::beast::iequals(h.first, name); });
  return at == headers.end() ? nullptr : &at->second;
}

result<json_document> http_answer::json() const {
  return read_in_parts ? *read_in_parts : parse_json(body);
}

http_client::http_client(network& through, bool keep_alive) : through_(&through), keep_alive_(keep_alive) {}
http_client::~http_client() = default;

asio::awaitable<result<http_answer>> http_client::exchange(const http_request& ask, run& r) {
  const instant began = now();
  connect_times connecting;
  bool answering = false;
  result<exchanged> done = std::unexpected(failure{reason::closed, "no connection is kept"});
  std::unique_ptr<stream> on = std::exchange(kept_, nullptr);
  if (on) done = co_await exchange_on(*on, ask, keep_alive_, r, answering);
  // A server may close a kept connection at any time; before its answer began, that says nothing about how it answers.
  if (!done && done.error().why == reason::closed && !answering) {
    auto fresh = co_await connect(*through_, ask.to.to, ask.to.tls ? &ask.tls : nullptr, r, &connecting);
    if (!fresh) co_return std::unexpected(std::move(fresh.error()));
    on = std::move(*fresh);
    done = co_await exchange_on(*on, ask, keep_alive_, r, answering);
  }
  if (!done) co_return std::unexpected(std::move(done.error()));
  done->answer.times.connecting = connecting;
  done->answer.times.total = now() - began;
  if (keep_alive_ && done->reusable) kept_ = std::move(on);
  co_return std::move(done->answer);
}

}  // namespace flipback::net
