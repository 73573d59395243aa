#include "probes/jwks/session.hpp"

#include "flipback/quoted.hpp"

#include "probes/jwks/health.hpp"
#include "probes/jwks/refusal.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace flipback::jwks {

namespace {

constexpr std::size_t most = 600;  // bytes of a sentence

double seconds_since(instant began) {
  return to_seconds(std::chrono::steady_clock::now() - began);
}

double wall_clock() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string asked(const net::http_request& ask) {
  return fmt::format("{} {}", ask.method, flipback::quoted(ask.to.target.substr(0, ask.to.target.find('?'))));
}

}  // namespace

asio::awaitable<void> session::ask() {
  if (terms_.health) co_await ask_health();
  std::optional<discovery> document;
  std::optional<net::http_request> from = terms_.keys;
  if (terms_.issuer) {
    document = co_await discover();
    if (!document) co_return;
    auto named = request_for(*terms_.issuer, document->jwks_uri, "jwks_uri");
    if (!named) co_return unwell(named.error());
    from = std::move(*named);
  }
  auto set = co_await fetch_keys(*from);
  if (!set) co_return;
  look_at(*set, document);
  // The secret goes to nobody but the issuer that it is for.
  if (!terms_.who.id.empty() && document && document->issuer == terms_.issuer->name) co_await try_token(*document, std::move(*set), *from);
}

asio::awaitable<void> session::ask_health() {
  const auto answer = co_await exchange(*terms_.health);
  if (!answer) co_return unwell(answer.error());
  if (auto ready = readiness(*answer, asked(*terms_.health)); !ready) co_return unwell(ready.error());
  found_.well("ready");
}

asio::awaitable<std::optional<discovery>> session::discover() {
  net::http_request ask = terms_.issuer->at;
  ask.to.target = discovery_path(ask.to.target);
  const instant began = std::chrono::steady_clock::now();
  const auto answer = co_await exchange(ask);
  std::optional<discovery> document;
  if (!answer) {
    unwell(answer.error());
    co_return document;
  }
  if (answer->status != 200) {
    unwell(refusal(*answer, asked(ask)));
    co_return document;
  }
  found_.measure("discovery_seconds", seconds_since(began));
  const auto body = answer->json();
  if (!body) {
    unwell({body.error().why, fmt::format("{}: {}", asked(ask), body.error().says)});
    co_return document;
  }
  auto read = parse_discovery(*body);
  if (!read) {
    unwell(read.error());
    co_return document;
  }
  document = std::move(*read);
  // Whoever verifies tokens compares the two as they are written (OpenID Connect Discovery, 4.3).
  if (document->issuer == terms_.issuer->name)
    found_.well("the issuer is as expected");
  else
    unwell({reason::expectation,
            fmt::format("the issuer is \"{}\", expected \"{}\"", flipback::quoted(document->issuer), terms_.issuer->name)});
  co_return document;
}

asio::awaitable<std::optional<key_set>> session::fetch_keys(const net::http_request& from) {
  const instant began = std::chrono::steady_clock::now();
  const auto answer = co_await exchange(from);
  std::optional<key_set> set;
  if (!answer) {
    unwell(answer.error());
    co_return set;
  }
  if (answer->status != 200) {
    unwell(refusal(*answer, asked(from)));
    co_return set;
  }
  auto read = parse(answer->json());
  if (!read) {
    unwell({reason::bad_answer, std::move(read.error())});
    co_return set;
  }
  set = std::move(*read);
  if (!keys_timed_) found_.measure("keys_seconds", seconds_since(began));
  keys_timed_ = true;
  if (auto changed = rotation_.see(*set)) found_.news(flipback::quoted(*changed, hidden_, most));
  co_return set;
}

void session::look_at(const key_set& set, const std::optional<discovery>& document) {
  for (const std::string& wanted : terms_.algorithms) {
    if (!set.has_key_for(wanted)) unwell({reason::expectation, fmt::format("no key is for {}", wanted)});
    if (document && !document->algorithms.empty() && std::ranges::find(document->algorithms, wanted) == document->algorithms.end())
      unwell({reason::expectation, fmt::format("the issuer does not sign ID tokens by {}", wanted)});
  }
  const std::string algorithms = flipback::quoted(fmt::format("{}", fmt::join(set.algorithms, ", ")), hidden_);
  found_.well(fmt::format("{} keys, {} for signatures ({})", set.keys.size(), set.signing(), algorithms));
  found_.measure("keys", static_cast<double>(set.keys.size()));
  found_.measure("signing_keys", static_cast<double>(set.signing()));
}

asio::awaitable<void> session::try_token(const discovery& by, key_set set, const net::http_request& keys) {
  secret holding;
  const auto got = co_await get_token(by, holding);
  if (!got) co_return unwell(got.error());
  if (auto verified = co_await verify(*got, std::move(set), keys); !verified) co_return unwell(verified.error());
  const double now = wall_clock();
  if (auto wrong = first_wrong(got->claims, {terms_.issuer->name, terms_.who.audience, now})) co_return unwell(*wrong);
  const double left = net::number_at(got->claims, "/exp").value_or(now) - now;
  found_.measure("token_expires_in", left);
  found_.well(fmt::format("a token for {:.6g} s ({})", std::round(left), got->algorithm));
}

/// `holding` keeps the text that the token points into.
asio::awaitable<net::result<token>> session::get_token(const discovery& by, secret& holding) {
  if (by.token_endpoint.empty())
    co_return std::unexpected(net::failure{reason::bad_answer, "the discovery document has no token_endpoint"});
  if (!by.takes_basic && !by.takes_post) {
    co_return std::unexpected(
        net::failure{reason::expectation, "the issuer takes no client's secret: neither client_secret_basic nor client_secret_post"});
  }
  auto ask = request_for(*terms_.issuer, by.token_endpoint, "token_endpoint");
  if (!ask) co_return std::unexpected(std::move(ask.error()));
  hidden_ = ask_for_token(terms_.who, by.takes_basic, *ask);
  for (const secret& s : hidden_) run_.learned.keep(s);
  const instant began = std::chrono::steady_clock::now();
  const auto answer = co_await exchange(*ask);
  if (!answer) co_return std::unexpected(answer.error());
  auto given = token_in(*answer, asked(*ask), hidden_);
  if (!given) co_return std::unexpected(std::move(given.error()));
  found_.measure("token_seconds", seconds_since(began));
  hidden_.push_back(*given);
  run_.learned.keep(*given);
  holding = std::move(*given);
  co_return decode(holding.reveal());
}

asio::awaitable<net::result<void>> session::verify(const token& t, key_set set, const net::http_request& keys) {
  auto by = key_for(t, set);
  if (!by && by.error().why == reason::absent) {  // rotated between the two answers: a verifier fetches the set once more, and so do we
    auto fresh = co_await fetch_keys(keys);
    if (!fresh) co_return std::unexpected(std::move(by.error()));
    set = std::move(*fresh);
    by = key_for(t, set);
  }
  if (!by) co_return std::unexpected(std::move(by.error()));
  if (is_signed_by(t, **by)) co_return net::result<void>();
  co_return std::unexpected(
      net::failure{reason::expectation, fmt::format("the token's signature is not that of key {} ({})", shown_id((*by)->id), t.algorithm)});
}

asio::awaitable<net::result<net::http_answer>> session::exchange(const net::http_request& ask) {
  net::http_client elsewhere(through_, false);
  const bool at_home = net::same_place(ask.to, terms_.first_asked().to);
  net::http_client* by = at_home ? &home_ : &elsewhere;
  auto answer = co_await by->exchange(ask, run_);
  if (at_home && answer && answer->certificate_days && !certificate_seen_) {
    certificate_seen_ = true;
    found_.measure("certificate_left", *answer->certificate_days * 86400);
  }
  co_return std::move(answer);
}

void session::unwell(const net::failure& what) {
  found_.unwell(what.why, flipback::quoted(what.says, hidden_, most));
}

}  // namespace flipback::jwks
