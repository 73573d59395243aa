#include "probes/declarations.hpp"
#include "probes/findings.hpp"
#include "probes/journey/step.hpp"
#include "probes/kinds.hpp"
#include "probes/net/api.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace flipback {

namespace {

using journey::step;

struct terms {
  std::vector<step> steps;
  std::vector<secret> hidden;  ///< whatever the steps send
};

/// What one run knows: a connection for each place, and what was captured so far, which is nobody's business: a token is among it.
struct walk {
  std::vector<std::pair<const step*, std::unique_ptr<net::http_client>>> clients;
  journey::captured values;
  std::vector<secret> hidden;

  net::http_client& client_for(net::network& through, const step& of) {
    const auto leads_there = [&](const auto& c) { return net::same_place(c.first->ask.to, of.ask.to); };
    const auto known = std::ranges::find_if(clients, leads_there);
    if (known != clients.end()) return *known->second;
    return *clients.emplace_back(&of, std::make_unique<net::http_client>(through, true)).second;
  }
};

class journey_probe final : public probe {
 public:
  journey_probe(net::network& through, terms t, declarations declared)
      : through_(through), terms_(std::move(t)), declared_(std::move(declared)) {}

  [[nodiscard]] std::span<const measurement_declaration> declares() const override { return declared_.all(); }

  asio::awaitable<observation> observe(run& r) override {
    findings found;
    walk now;
    now.hidden = terms_.hidden;
    for (const secret& s : now.hidden) r.learned.keep(s);
    std::size_t passed = 0;
    bool limited = false;
    for (const step& next : terms_.steps) {
      r.part = next.called;
      const auto failed = co_await take(next, now, r, found);
      if (failed) limited = failed->why == reason::limited;
      if (failed) found.unwell(failed->why, fmt::format("{}: {}", next.called, failed->says));
      if (failed) break;
      ++passed;
    }
    found.measure("steps_passed", static_cast<double>(passed));
    found.measure("limited", limited ? 1.0 : 0.0);
    observation seen = found.take();
    if (limited) seen.result = outcome::unknown;  // whoever limits us has said nothing about how well it is
    co_return seen;
  }

 private:
  /// One step; why the journey ends with it, where it does.
  asio::awaitable<std::optional<net::failure>> take(const step& of, walk& now, run& r, findings& found) const {
    const instant began = std::chrono::steady_clock::now();
    const net::http_request ask = journey::request_of(of, now.values);
    const auto answer = co_await now.client_for(through_, of).exchange(ask, r);
    if (!answer) co_return answer.error();
    const double took = to_seconds(std::chrono::steady_clock::now() - began);
    found.measure(of.seconds, took);
    if (answer->certificate_days && &of == &terms_.steps.front()) found.measure("certificate_left", *answer->certificate_days * 86400);
    auto taken = journey::taken_by(of, *answer);
    if (taken) {
      for (auto& [name, value] : *taken) {
        r.learned.keep(now.hidden.emplace_back(value));
        now.values.insert_or_assign(name, std::move(value));
      }
    }
    auto unmet = first_unmet(of.expect, *answer, now.hidden);
    // OAuth 2 refuses a login with 400 (RFC 6749, 5.2), and FastAPI's own guide does: it is not to be tried again and again.
    if (unmet && of.logs_in && answer->status == 400 && unmet->why == reason::bad_status) unmet->why = reason::unauthorised;
    if (unmet) co_return unmet;
    if (!taken) co_return taken.error();
    found.well(fmt::format("{} {:.0f} ms", of.name, took * 1000));
    co_return std::nullopt;
  }

  net::network& through_;
  terms terms_;
  declarations declared_;
};

}  // namespace

std::unique_ptr<probe> make_journey_probe(settings::section& from, const surroundings& in) {
  const net::api_access base = net::read_api_access(from, "https://api.example.com");
  terms t;
  t.steps = journey::read_steps(from, base.ask, t.hidden);
  declarations declared;
  for (step& s : t.steps) s.seconds = declared.add_of(s.name, "seconds", signal_kind::gauge, unit::seconds);
  declared.add({"steps_passed", signal_kind::gauge, unit::number});
  declared.add({"limited", signal_kind::gauge, unit::number});
  if (!t.steps.empty()) declared.add_certificate(t.steps.front().ask.to);
  from.finish();
  return std::make_unique<journey_probe>(in.network, std::move(t), std::move(declared));
}

}  // namespace flipback
