#include "probes/findings.hpp"
#include "probes/kinds.hpp"
#include "probes/net/api.hpp"
#include "probes/net/http_settings.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>

namespace flipback {

namespace {

constexpr std::array declared{
    measurement_declaration{"answered", signal_kind::gauge, unit::number},
    measurement_declaration{"limited", signal_kind::gauge, unit::number},
    measurement_declaration{"first_limited_at", signal_kind::gauge, unit::number},
};

struct terms {
  net::api_access access;
  std::int64_t requests = 105;
  std::int64_t concurrency = 10;
  std::int64_t expect_limited = 1;
};

/// The requests of one run, as its workers share them.
struct volley {
  std::int64_t sent = 0;
  std::int64_t first_limited = 0;          ///< the number of the first request that was; 0: none
  std::map<unsigned, std::int64_t> times;  ///< how often each status came
  std::optional<net::failure> failed;      ///< what no further request would mend

  [[nodiscard]] std::int64_t with(unsigned status) const {
    const auto at = times.find(status);
    return at == times.end() ? 0 : at->second;
  }
  [[nodiscard]] std::int64_t answered() const {
    std::int64_t sum = 0;
    for (const auto& [status, count] : times) sum += count;
    return sum;
  }
};

class rate_limit_probe final : public probe {
 public:
  rate_limit_probe(net::network& through, terms t) : through_(through), terms_(std::move(t)) {}

  [[nodiscard]] std::span<const measurement_declaration> declares() const override { return declared; }

  asio::awaitable<observation> observe(run& r) override {
    volley all;
    // The first one goes alone: a wrong password is sent once, and not by each worker.
    co_await fire(all, 1, r);
    if (!all.failed && terms_.requests > 1) co_await with_workers(all, std::min(terms_.concurrency, terms_.requests - 1), r);
    co_return judged(all);
  }

 private:
  /// Sends requests, one after the other on one connection, until the run has sent so many.
  asio::awaitable<void> fire(volley& all, std::int64_t until, run& r) const {
    net::http_client client(through_, true);
    while (all.sent < until && !all.failed) {
      const std::int64_t number = ++all.sent;
      const auto answer = co_await client.exchange(terms_.access.ask, r);
      if (!answer) {
        if (!all.failed) all.failed = net::failure{answer.error().why, fmt::format("request {}: {}", number, answer.error().says)};
        co_return;
      }
      ++all.times[answer->status];
      if (answer->status == 429 && (all.first_limited == 0 || number < all.first_limited)) all.first_limited = number;
      const bool refused = answer->status == 401 || answer->status == 403;
      if (refused && !all.failed) all.failed = unexpected(*answer, number);
    }
  }

  asio::awaitable<void> with_workers(volley& all, std::int64_t workers, run& r) const {
    using namespace asio::experimental::awaitable_operators;
    if (workers == 1) co_return co_await fire(all, terms_.requests, r);
    co_await (fire(all, terms_.requests, r) && with_workers(all, workers - 1, r));
  }

  [[nodiscard]] net::failure unexpected(const net::http_answer& answer, std::int64_t number) const {
    return net::unexpected(answer, fmt::format("request {}", number), "2xx or 429", terms_.access.secrets);
  }

  [[nodiscard]] observation judged(const volley& all) const {
    findings found;
    const std::int64_t limited = all.with(429);
    found.measure("answered", static_cast<double>(all.answered()));
    found.measure("limited", static_cast<double>(limited));
    if (all.first_limited > 0) found.measure("first_limited_at", static_cast<double>(all.first_limited));
    if (all.failed) {
      found.unwell(*all.failed);
      return found.take();
    }
    std::vector<std::string> others;
    for (const auto& [status, count] : all.times) {
      if (status / 100 != 2 && status != 429) others.push_back(fmt::format("{} were answered {}", count, status));
    }
    if (!others.empty())
      found.unwell(reason::bad_status, fmt::format("of {} requests {}, expected 2xx or 429", all.sent, fmt::join(others, ", ")));
    if (limited < terms_.expect_limited) {
      found.unwell(reason::expectation,
                   fmt::format("{} of {} requests were answered 429, expected at least {}", limited, all.sent, terms_.expect_limited));
    }
    found.well(fmt::format("{} of {} requests were answered 429, the first was request {}", limited, all.sent, all.first_limited));
    return found.take();
  }

  net::network& through_;
  terms terms_;
};

}  // namespace

std::unique_ptr<probe> make_rate_limit_probe(settings::section& from, const surroundings& in) {
  terms t;
  t.access.ask = net::read_http_request(from, "http://api.example.com/api/v1/properties");
  net::read_credentials(from, t.access);
  net::read_headers(from, t.access);
  t.requests = from.integer("requests", t.requests, 1, 1000);
  t.concurrency = from.integer("concurrency", t.concurrency, 1, 100);
  t.expect_limited = from.integer("expect_limited", t.expect_limited, 1, t.requests);
  from.finish();
  return std::make_unique<rate_limit_probe>(in.network, std::move(t));
}

}  // namespace flipback
