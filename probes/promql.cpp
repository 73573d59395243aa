#include "probes/declarations.hpp"
#include "probes/findings.hpp"
#include "probes/kinds.hpp"
#include "probes/prometheus/growth.hpp"
#include "probes/prometheus/queries.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace flipback {

namespace {

using prometheus::api;

struct terms {
  net::api_access access;
  std::vector<prometheus::query> queries;
  bool takes_partial = false;  ///< a value counts although its answer came with warnings
};

/// One query, and what a ratio must remember of the run before.
struct asked_query {
  prometheus::query of;
  prometheus::growth counters;
  instant looked{};  ///< when the run before this one began, if it saw the counters
};

class promql_probe final : public probe {
 public:
  promql_probe(net::network& through, terms t, declarations declared)
      : through_(through), terms_(std::move(t)), declared_(std::move(declared)) {
    for (const prometheus::query& q : terms_.queries) queries_.push_back({q, {}, {}});
  }

  [[nodiscard]] std::span<const measurement_declaration> declares() const override { return declared_.all(); }

  asio::awaitable<observation> observe(run& r) override {
    round now{api(through_, terms_.access, r), r.started, {}, {}, {}};
    for (const asked_query& q : queries_) now.left += q.of.is_ratio() ? 2 : 1;
    std::vector<std::string> values;
    for (asked_query& q : queries_) {
      net::result<std::string> said;
      if (q.of.is_ratio())
        said = co_await ratio(q, now);
      else
        said = co_await value(q, now);
      if (said) {
        values.push_back(fmt::format("{} {}", q.of.measured_as, *said));
        continue;
      }
      const std::string which = queries_.size() == 1 ? std::string() : fmt::format("{}: ", q.of.measured_as);
      now.found.unwell(said.error().why, which + said.error().says);
      if (!prometheus::is_of_one_question(said.error().why)) break;
    }
    constexpr std::size_t most_said = 8;
    if (values.size() > most_said) {
      const std::size_t more = values.size() - most_said;
      values.resize(most_said);
      values.push_back(fmt::format("and {} more", more));
    }
    now.found.well(fmt::format("{}", fmt::join(values, ", ")));
    if (!now.doubt.empty()) now.found.note(fmt::format("the server warns: {}", now.doubt));
    if (const auto left = now.asking.certificate_left()) now.found.measure("certificate_left", *left);
    co_return now.found.take();
  }

 private:
  struct round {
    api asking;
    instant started;
    findings found;
    std::string doubt;     ///< the first warning of the server's
    std::size_t left = 0;  ///< questions to come
  };

  /// The series that PromQL gives; nothing where they may not all be there.
  asio::awaitable<net::result<std::optional<std::vector<prometheus::element>>>> series(const std::string& promql, round& now) const {
    const auto answer = co_await now.asking.query(promql, --now.left == 0);
    if (!answer) co_return std::unexpected(answer.error());
    if (!answer->warnings.empty()) {
      if (now.doubt.empty()) now.doubt = answer->warnings.front();
      if (!terms_.takes_partial) co_return std::nullopt;
    }
    auto elements = prometheus::elements_of(answer->data);
    if (!elements) co_return std::unexpected(elements.error());
    co_return std::optional(std::move(*elements));
  }

  asio::awaitable<net::result<std::string>> value(const asked_query& q, round& now) const {
    const auto elements = co_await series(q.of.promql, now);
    if (!elements) co_return std::unexpected(elements.error());
    if (!*elements) co_return std::string("unknown: partial data");
    auto number = prometheus::number_of(**elements);
    if (!number) co_return std::unexpected(number.error());
    if ((*elements)->empty()) number->value = q.of.empty;
    if (!number->value) co_return fmt::format("unknown: {}", number->instead);
    now.found.measure({q.of.measured_as, *number->value, false, now.started - q.of.covers});
    co_return format_value(*number->value, q.of.in);
  }

  /// What has come of both counters since the run before: what lies between is then pooled, and nothing counts twice.
  asio::awaitable<net::result<std::string>> ratio(asked_query& q, round& now) const {
    // A run that does not come this far breaks the chain: what came meanwhile would count as if it had come now.
    const instant before = std::exchange(q.looked, instant{});
    const auto numerator = co_await series(q.of.promql, now);
    if (!numerator) {
      --now.left;  // the other one is not asked
      co_return std::unexpected(numerator.error());
    }
    const auto denominator = co_await series(q.of.denominator, now);
    if (!denominator) co_return std::unexpected(denominator.error());
    if (!*numerator || !*denominator) co_return std::string("unknown: partial data");
    if ((*denominator)->empty()) co_return std::string("unknown: no series");
    const pooled grown = q.counters.look(**numerator, **denominator);
    q.looked = now.started;
    if (before == instant{}) co_return std::string("unknown: it takes two runs");
    now.found.measure({q.of.measured_as, grown, false, before - q.of.covers});
    if (grown.denominator <= 0) co_return std::string("0 of 0");
    co_return fmt::format("{} ({:.0f} of {:.0f})", format_ratio(grown.numerator / grown.denominator), grown.numerator, grown.denominator);
  }

  net::network& through_;
  terms terms_;
  declarations declared_;
  std::vector<asked_query> queries_;
};

}  // namespace

std::unique_ptr<probe> make_promql_probe(settings::section& from, const surroundings& in) {
  terms t;
  t.access = prometheus::read_access(from);
  declarations declared;
  t.queries = prometheus::read_queries(from, declared);
  t.takes_partial = from.choice("partial", "refuse", {"refuse", "accept"}) == "accept";
  declared.add_certificate(t.access.ask.to);
  from.finish();
  return std::make_unique<promql_probe>(in.network, std::move(t), std::move(declared));
}

}  // namespace flipback
