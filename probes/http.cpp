#include "probes/expectation.hpp"
#include "probes/identity.hpp"
#include "probes/kinds.hpp"
#include "probes/net/http_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace flipback {

namespace {

constexpr std::array declared{
    measurement_declaration{"status", signal_kind::gauge, unit::number},
    measurement_declaration{"resolve_seconds", signal_kind::gauge, unit::seconds},
    measurement_declaration{"connect_seconds", signal_kind::gauge, unit::seconds},
    measurement_declaration{"tls_seconds", signal_kind::gauge, unit::seconds},
    measurement_declaration{"first_byte_seconds", signal_kind::gauge, unit::seconds},
    measurement_declaration{"transfer_seconds", signal_kind::gauge, unit::seconds},
    measurement_declaration{"certificate_left", signal_kind::gauge, unit::seconds},
};

class http_probe final : public probe {
 public:
  http_probe(net::network& through, net::http_request ask, expectation expected, identity_source identity, bool keep_alive)
      : client_(through, keep_alive), ask_(std::move(ask)), expected_(std::move(expected)), identity_(std::move(identity)) {}

  [[nodiscard]] std::span<const measurement_declaration> declares() const override {
    return std::span(declared).first(declared.size() - (ask_.to.tls ? 0 : 1));  // the last one is the certificate's
  }

  asio::awaitable<observation> observe(run& r) override {
    const auto answer = co_await client_.exchange(ask_, r);
    if (!answer) co_return observation::fail(answer.error().why, answer.error().says);
    const auto unmet = first_unmet(expected_, answer->status, answer->body);
    observation seen = unmet ? observation::fail(unmet->why, unmet->says) : observation::pass(says(*answer));
    measure(seen, *answer);
    co_return seen;
  }

 private:
  [[nodiscard]] std::string says(const net::http_answer& answer) const {
    const std::string release = identity_of(identity_, answer).value_or("");
    return release.empty() ? fmt::format("{}", answer.status) : fmt::format("{}, release {}", answer.status, release);
  }

  static void measure(observation& into, const net::http_answer& answer) {
    const net::http_times& took = answer.times;
    into.measurements.reserve(declared.size());
    into.measure("status", static_cast<double>(answer.status));
    into.measure("resolve_seconds", to_seconds(took.connecting.resolve));
    into.measure("connect_seconds", to_seconds(took.connecting.connect));
    into.measure("tls_seconds", to_seconds(took.connecting.tls));
    into.measure("first_byte_seconds", to_seconds(took.first_byte));
    into.measure("transfer_seconds", to_seconds(took.transfer));
    if (answer.certificate_days) into.measure("certificate_left", *answer.certificate_days * 86400);
  }

  net::http_client client_;
  net::http_request ask_;
  expectation expected_;
  identity_source identity_;
};

bool is_token(std::string_view text) {
  constexpr std::string_view others = "!#$%&'*+-.^_`|~";
  return !text.empty() &&
         std::ranges::all_of(text, [&](unsigned char c) { return std::isalnum(c) != 0 || others.contains(static_cast<char>(c)); });
}

void read_headers(settings::section& from, net::http_request& into) {
  const settings::node* found = from.raw("headers");
  if (found == nullptr) return;
  auto inner = from.inner("headers");
  if (!inner) return;
  const auto& members = std::get<settings::table>(found->value);
  for (const auto& [key, unused] : members) {
    const bool from_file = key.ends_with("_file");
    const std::string name = from_file ? key.substr(0, key.size() - 5) : key;
    if (from_file && members.contains(name)) continue;  // read with its name
    const auto value = inner->hidden(name);
    if (!is_token(name)) inner->report(name, "is no name of a header");
    if (value && value->reveal().find_first_of("\r\n") != std::string::npos) inner->report(name, "has a line end in it");
    if (value) into.headers.emplace_back(name, value->reveal());
  }
  inner->finish();
}

}  // namespace

std::unique_ptr<probe> make_http_probe(settings::section& from, const surroundings& in) {
  net::http_request ask = net::read_http_request(from, "http://127.0.0.1:8000/health");
  ask.method = from.choice("method", "GET", {"GET", "HEAD", "POST", "PUT", "OPTIONS"});
  ask.body = from.text("body", "");
  ask.answer_limit = from.size("answer_limit", ask.answer_limit, 1, 64ULL * 1024 * 1024);
  read_headers(from, ask);
  expectation expected = read_expectation(from, "expect");
  identity_source identity = read_identity(from, "identity");
  const bool keep_alive = from.boolean("keep_alive", false);
  from.finish();
  return std::make_unique<http_probe>(in.network, std::move(ask), std::move(expected), std::move(identity), keep_alive);
}

}  // namespace flipback
