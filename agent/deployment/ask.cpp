#include "agent/deployment/ask.hpp"

#include "agent/within.hpp"

#include <fmt/format.h>

#include <utility>

namespace flipback::deployment {

namespace {

asio::awaitable<net::result<net::http_answer>> exchange(net::network& through, net::http_request request, run& r) {
  net::http_client client(through, false);
  co_return co_await client.exchange(request, r);
}

}  // namespace

asio::awaitable<net::result<net::http_answer>> ask(net::network& through, net::http_request request, duration limit) {
  run r{std::chrono::steady_clock::now(), {}, phase::starting};
  auto got = co_await within(limit, exchange(through, std::move(request), r));
  if (got) co_return std::move(*got);
  if (r.now == phase::resolving)  // whoever was to be asked has not heard of it
    co_return std::unexpected(
        net::failure{reason::no_resolver, fmt::format("the name server gave no answer within {}", format_duration(limit))});
  co_return std::unexpected(net::failure{reason::timed_out, fmt::format("no answer within {}", format_duration(limit))});
}

}  // namespace flipback::deployment
