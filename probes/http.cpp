#include "flipback/quoted.hpp"

#include "probes/expectation.hpp"
#include "probes/identity.hpp"
#include "probes/kinds.hpp"
#include "probes/net/api.hpp"
#include "probes/net/http_settings.hpp"
#include "probes/net/redirects.hpp"

#include <fmt/format.h>

#include <array>

namespace flipback {

namespace {

constexpr std::array declared{
    measurement_declaration{"status", signal_kind::gauge, unit::number},
    measurement_declaration{"limited", signal_kind::gauge, unit::number},
    measurement_declaration{"resolve_seconds", signal_kind::gauge, unit::seconds},
    measurement_declaration{"connect_seconds", signal_kind::gauge, unit::seconds},
    measurement_declaration{"tls_seconds", signal_kind::gauge, unit::seconds},
    measurement_declaration{"first_byte_seconds", signal_kind::gauge, unit::seconds},
    measurement_declaration{"transfer_seconds", signal_kind::gauge, unit::seconds},
    measurement_declaration{"certificate_left", signal_kind::gauge, unit::seconds},
};

struct terms {
  net::api_access access;
  expectation expected;
  identity_source identity;
  bool keep_alive = false;
  unsigned redirects = 0;  ///< how many are followed
};

class http_probe final : public probe {
 public:
  http_probe(net::network& through, terms t) : through_(through), client_(through, t.keep_alive), terms_(std::move(t)) {}

  [[nodiscard]] std::span<const measurement_declaration> declares() const override {
    const bool tls = terms_.access.ask.to.tls || terms_.redirects > 0;
    return std::span(declared).first(declared.size() - (tls ? 0 : 1));  // the last one is the certificate's
  }

  asio::awaitable<observation> observe(run& r) override {
    net::result<net::http_answer> answer;
    for (const secret& s : terms_.access.secrets) r.learned.keep(s);
    if (terms_.redirects == 0)
      answer = co_await client_.exchange(terms_.access.ask, r);
    else
      answer = co_await net::exchange_following(through_, client_, terms_.access.ask, terms_.redirects, r);
    // Where a redirect leads is the server's word, which may repeat ours.
    if (!answer) co_return observation::fail(answer.error().why, flipback::quoted(answer.error().says, terms_.access.secrets, 400));
    observation seen = judged(*answer);
    measure(seen, *answer);
    co_return seen;
  }

 private:
  [[nodiscard]] observation judged(const net::http_answer& answer) const {
    auto unmet = first_unmet(terms_.expected, answer, terms_.access.secrets);
    if (!unmet) return observation::pass(says(answer));
    // Whoever limits us has answered, and has said nothing about how well it is.
    if (unmet->why == reason::limited) return observation::unknown(unmet->why, std::move(unmet->says));
    return observation::fail(unmet->why, std::move(unmet->says));
  }

  [[nodiscard]] std::string says(const net::http_answer& answer) const {
    const auto release = identity_of(terms_.identity, answer);
    if (!release || release->empty()) return fmt::format("{}", answer.status);
    return fmt::format("{}, release {}", answer.status, flipback::quoted(*release, terms_.access.secrets, 80));
  }

  static void measure(observation& into, const net::http_answer& answer) {
    const net::http_times& took = answer.times;
    into.measurements.reserve(declared.size());
    into.measure("status", static_cast<double>(answer.status));
    into.measure("limited", answer.status == 429 ? 1.0 : 0.0);
    into.measure("resolve_seconds", to_seconds(took.connecting.resolve));
    into.measure("connect_seconds", to_seconds(took.connecting.connect));
    into.measure("tls_seconds", to_seconds(took.connecting.tls));
    into.measure("first_byte_seconds", to_seconds(took.first_byte));
    into.measure("transfer_seconds", to_seconds(took.transfer));
    if (answer.certificate_days) into.measure("certificate_left", *answer.certificate_days * 86400);
  }

  net::network& through_;
  net::http_client client_;
  terms terms_;
};

}  // namespace

std::unique_ptr<probe> make_http_probe(settings::section& from, const surroundings& in) {
  terms t;
  t.access.ask = net::read_http_request(from, "http://127.0.0.1:8000/health");
  net::http_request& ask = t.access.ask;
  ask.method = from.choice("method", "GET", {"GET", "HEAD", "POST", "PUT", "OPTIONS"});
  ask.body = from.text("body", "");
  ask.answer_limit = from.size("answer_limit", ask.answer_limit, 1, 64ULL * 1024 * 1024);
  net::read_credentials(from, t.access);
  net::read_headers(from, t.access);
  hide_sent(t.access.secrets, ask.body);
  t.expected = read_expectation(from, "expect");
  t.identity = read_identity(from, "identity");
  t.keep_alive = from.boolean("keep_alive", false);
  t.redirects = static_cast<unsigned>(from.integer("redirects", 0, 0, 10));
  from.finish();
  return std::make_unique<http_probe>(in.network, std::move(t));
}

}  // namespace flipback
