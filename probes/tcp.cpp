#include "probes/kinds.hpp"
#include "probes/net/tls_settings.hpp"
#include "probes/net/url.hpp"

#include <fmt/format.h>

#include <array>

namespace flipback {

namespace {

constexpr std::array declared{
    measurement_declaration{"connect_seconds", signal_kind::gauge, unit::seconds},
    measurement_declaration{"certificate_left", signal_kind::gauge, unit::seconds},
};

struct terms {
  net::endpoint to;
  bool tls = false;
  net::tls_options tls_options;
  std::string send;
  std::string expect;  ///< what the answer must begin with; empty: that it accepts is enough
};

class tcp_probe final : public probe {
 public:
  tcp_probe(net::network& through, terms t) : through_(through), terms_(std::move(t)) {}

  [[nodiscard]] std::span<const measurement_declaration> declares() const override {
    return std::span(declared).first(declared.size() - (terms_.tls ? 0 : 1));  // the last one is the certificate's
  }

  asio::awaitable<observation> observe(run& r) override {
    net::connect_times times;
    const auto connected = co_await net::connect(through_, terms_.to, terms_.tls ? &terms_.tls_options : nullptr, r, &times);
    if (!connected) co_return observation::fail(connected.error().why, connected.error().says);
    net::stream& on = **connected;
    if (!terms_.send.empty()) {
      r.now = phase::asking;
      const auto sent = co_await on.write(asio::buffer(terms_.send));
      if (!sent) co_return observation::fail(sent.error().why, sent.error().says);
    }
    observation seen = observation::pass(fmt::format("{} accepts", to_string(terms_.to)));
    if (!terms_.expect.empty()) seen = co_await greeted(on, r);
    seen.measure("connect_seconds", to_seconds(times.connect));
    if (const auto days = on.certificate_days()) seen.measure("certificate_left", *days * 86400);
    co_return seen;
  }

 private:
  asio::awaitable<observation> greeted(net::stream& on, run& r) const {
    r.now = phase::reading;
    std::string answer;
    std::array<char, 1024> part{};
    while (answer.size() < terms_.expect.size() && terms_.expect.starts_with(answer)) {
      const auto size = co_await on.read_some(asio::buffer(part));
      if (!size) co_return observation::fail(size.error().why, size.error().says);
      if (*size == 0) co_return observation::fail(reason::closed, "it hung up before its answer was whole");
      answer.append(part.data(), *size);
    }
    if (answer.starts_with(terms_.expect)) co_return observation::pass("answered as expected");
    co_return observation::fail(reason::expectation, "answered something else than expected");
  }

  net::network& through_;
  terms terms_;
};

}  // namespace

std::unique_ptr<probe> make_tcp_probe(settings::section& from, const surroundings& in) {
  terms t;
  const std::string address = from.required_text("address", "127.0.0.1:5432");
  if (auto to = net::parse_endpoint(address)) {
    t.to = std::move(*to);
  } else if (!address.empty()) {
    from.report("address", fmt::format("found {}, which {}; expected host:port such as \"127.0.0.1:5432\", or unix:/path",
                                       from.shown("address"), to.error()));
  }
  t.tls = from.boolean("tls", false);
  t.tls_options = net::read_tls_options(from);
  for (const std::string_view key : {"verify", "ca_file", "server_name", "client_certificate", "client_key", "min_version"}) {
    if (!t.tls && from.has(key)) from.report(key, "stands without tls = true");
  }
  t.send = from.text("send", "");
  t.expect = from.text("expect", "");
  from.finish();
  return std::make_unique<tcp_probe>(in.network, std::move(t));
}

}  // namespace flipback
