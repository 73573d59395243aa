#include "probes/jwks/key_set.hpp"
#include "probes/kinds.hpp"
#include "probes/net/api.hpp"
#include "probes/net/http_settings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

namespace flipback {

namespace {

constexpr std::array declared{
    measurement_declaration{"keys", signal_kind::gauge, unit::number},
    measurement_declaration{"signing_keys", signal_kind::gauge, unit::number},
    measurement_declaration{"certificate_left", signal_kind::gauge, unit::seconds},
};

class jwks_probe final : public probe {
 public:
  jwks_probe(net::network& through, net::http_request ask, std::vector<std::string> algorithms)
      : client_(through, false), ask_(std::move(ask)), algorithms_(std::move(algorithms)) {}

  [[nodiscard]] std::span<const measurement_declaration> declares() const override {
    return std::span(declared).first(declared.size() - (ask_.to.tls ? 0 : 1));  // the last one is the certificate's
  }

  asio::awaitable<observation> observe(run& r) override {
    const auto answer = co_await client_.exchange(ask_, r);
    if (!answer) co_return observation::fail(answer.error().why, answer.error().says);
    observation seen = judged(*answer);
    if (answer->certificate_days) seen.measure("certificate_left", *answer->certificate_days * 86400);
    co_return seen;
  }

 private:
  [[nodiscard]] observation judged(const net::http_answer& answer) const {
    if (answer.status != 200) {
      net::failure what = net::unexpected(answer, "GET " + ask_.to.target);
      return observation::fail(what.why, std::move(what.says));
    }
    const auto set = jwks::parse(answer.body);
    if (!set) return observation::fail(reason::bad_answer, set.error());
    for (const std::string& wanted : algorithms_) {
      if (!set->algorithms.contains(wanted)) return observation::fail(reason::expectation, fmt::format("no key is for {}", wanted));
    }
    observation seen =
        observation::pass(fmt::format("{} keys, {} for signatures ({})", set->keys, set->signing, fmt::join(set->algorithms, ", ")));
    seen.measure("keys", static_cast<double>(set->keys));
    seen.measure("signing_keys", static_cast<double>(set->signing));
    return seen;
  }

  net::http_client client_;
  net::http_request ask_;
  std::vector<std::string> algorithms_;
};

}  // namespace

std::unique_ptr<probe> make_jwks_probe(settings::section& from, const surroundings& in) {
  net::http_request ask = net::read_http_request(from, "https://sso.example.com/realms/main/protocol/openid-connect/certs");
  std::vector<std::string> algorithms = from.texts("algorithms");
  from.finish();
  return std::make_unique<jwks_probe>(in.network, std::move(ask), std::move(algorithms));
}

}  // namespace flipback
