#include "probes/findings.hpp"
#include "probes/kinds.hpp"
#include "probes/prometheus/targets.hpp"
#include "probes/prometheus/terms.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace flipback {

namespace {

using prometheus::api;
using prometheus::counted;
using prometheus::facet;

constexpr std::size_t most_named = 3;  // of each list of bad things

/// The first few of a list, and how many more there are.
template <class List, class Said>
std::string first_of(const List& all, Said said) {
  std::vector<std::string> named;
  for (const auto& one : all) {
    if (named.size() == most_named) {
      named.push_back(fmt::format("and {} more", all.size() - most_named));
      break;
    }
    named.push_back(said(one));
  }
  return fmt::format("{}", fmt::join(named, ", "));
}

std::string counting(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

class prometheus_probe final : public probe {
 public:
  prometheus_probe(net::network& through, prometheus::terms t, declarations declared)
      : through_(through), terms_(std::move(t)), declared_(std::move(declared)) {}

  [[nodiscard]] std::span<const measurement_declaration> declares() const override { return declared_.all(); }

  asio::awaitable<observation> observe(run& r) override {
    findings found;
    api asking(through_, terms_.access, r);
    co_await look(asking, found);
    if (const auto left = asking.certificate_left()) found.measure("certificate_left", *left);
    co_return found.take();
  }

 private:
  asio::awaitable<void> look(api& asking, findings& found) const {
    const auto ready = co_await asking.ready();
    if (!ready) co_return found.unwell(ready.error());
    if (!*ready) found.note("GET /-/ready is not there for us");
    // A failure that is not of one question alone would be the others' too.
    const auto ends = [&](const std::optional<net::failure>& failed) {
      if (failed) found.unwell(*failed);
      return failed && !prometheus::is_of_one_question(failed->why);
    };
    if (terms_.looks_at(facet::targets) && ends(co_await look_at_targets(asking, found))) co_return;
    if ((terms_.looks_at(facet::alerts) || terms_.looks_at(facet::rules)) && ends(co_await look_at_rules(asking, found))) co_return;
    if (terms_.looks_at(facet::config)) ends(co_await look_at_configuration(asking, found));
  }

  /// What is bad fails the probe, or is said only.
  void tell(facet of, reason why, std::string says, findings& found) const {
    if (terms_.fails_by(of))
      found.unwell(why, std::move(says));
    else
      found.note(std::move(says));
  }

  asio::awaitable<std::optional<net::failure>> look_at_targets(api& asking, findings& found) const {
    prometheus::targets_state seen;
    for (const counted& job : terms_.jobs) {
      auto of_job = co_await targets_of(job.name, asking);
      if (!of_job) co_return of_job.error();
      if (of_job->is_known()) found.measure(job.measured_as, static_cast<double>(of_job->down.size()));
      if (of_job->all == 0) tell(facet::targets, reason::absent, fmt::format("the job {} has no targets", asking.quoted(job.name)), found);
      seen.add(std::move(*of_job));
    }
    if (terms_.jobs.empty()) {
      auto of_all = co_await targets_of({}, asking);
      if (!of_all) co_return of_all.error();
      seen = std::move(*of_all);
    }
    found.measure("targets", static_cast<double>(seen.all));
    if (seen.is_known()) found.measure("targets_down", static_cast<double>(seen.down.size()));
    if (!seen.down.empty()) {
      const auto said = [&](const prometheus::down_target& target) {
        return fmt::format("{} {} ({})", asking.quoted(target.job), asking.quoted(target.instance), asking.quoted(target.error));
      };
      tell(facet::targets, reason::expectation,
           fmt::format("{} of {} down: {}", seen.down.size(), counting(seen.all, "target"), first_of(seen.down, said)), found);
    }
    found.well(seen.up() == seen.all ? counting(seen.all, "target") + " up"
                                     : fmt::format("{} of {} up", seen.up(), counting(seen.all, "target")));
    if (seen.unscraped > 0) found.note(counting(seen.unscraped, "target") + " not scraped yet");
    co_return std::nullopt;
  }

  /// Of one job, or of all that count.
  asio::awaitable<net::result<prometheus::targets_state>> targets_of(std::string_view job, api& asking) const {
    const auto answer = co_await asking.get(prometheus::targets_path(job));
    if (!answer) co_return std::unexpected(answer.error());
    co_return prometheus::read_targets(answer->data, [&](std::string_view of) { return job.empty() ? terms_.counts_job(of) : of == job; });
  }

  asio::awaitable<std::optional<net::failure>> look_at_rules(api& asking, findings& found) const {
    const auto answer = co_await asking.get("/api/v1/rules");
    if (!answer) co_return answer.error();
    const auto seen = prometheus::read_rules(answer->data, terms_.alerts);
    if (!seen) co_return seen.error();
    if (terms_.looks_at(facet::alerts)) judge_alerts(*seen, asking, found);
    if (terms_.looks_at(facet::rules)) {
      found.measure("rules", static_cast<double>(seen->rules));
      found.measure("rules_unhealthy", static_cast<double>(seen->broken.size()));
      const auto said = [&](const auto& rule) { return fmt::format("{} ({})", asking.quoted(rule.name), asking.quoted(rule.error)); };
      if (!seen->broken.empty())
        tell(facet::rules, reason::expectation,
             fmt::format("{} of {} can't be evaluated: {}", seen->broken.size(), counting(seen->rules, "rule"),
                         first_of(seen->broken, said)),
             found);
      else
        found.well(counting(seen->rules, "rule"));
    }
    co_return std::nullopt;
  }

  void judge_alerts(const prometheus::rules_state& seen, const api& asking, findings& found) const {
    const std::size_t firing = seen.firing_count();
    // None is none only when every rule was looked at: a server that has just started knows of no alert.
    const bool known = seen.unevaluated == 0;
    if (!known) found.note(counting(seen.unevaluated, "alerting rule") + " not evaluated yet");
    if (known || firing > 0) found.measure("alerts_firing", static_cast<double>(firing));
    if (known) found.measure("alerts_pending", static_cast<double>(seen.pending));
    for (const counted& severity : terms_.severities) {
      const std::size_t count = seen.firing_count(severity.name);
      if (known || count > 0) found.measure(severity.measured_as, static_cast<double>(count));
    }
    if (firing == 0) {
      if (known) found.well("no alert firing");
      return;
    }
    const auto said = [&](const auto& alert) {
      std::string says = asking.quoted(alert.name);
      if (!alert.severity.empty()) says += fmt::format(" ({})", asking.quoted(alert.severity));
      if (alert.count > 1) says += fmt::format(" ×{}", alert.count);
      return says;
    };
    tell(facet::alerts, reason::expectation, fmt::format("{} firing: {}", counting(firing, "alert"), first_of(seen.firing, said)), found);
  }

  /// After a reload of a file that it can't read, a server goes on with the old one until it is started again; then it does not start.
  asio::awaitable<std::optional<net::failure>> look_at_configuration(api& asking, findings& found) const {
    const auto answer = co_await asking.get("/api/v1/status/runtimeinfo");
    if (!answer) co_return answer.error();
    const auto loaded = net::boolean_at(answer->data, "/reloadConfigSuccess");
    if (!loaded) co_return net::failure{reason::bad_answer, "GET /api/v1/status/runtimeinfo answered JSON without reloadConfigSuccess"};
    found.measure("config_loaded", *loaded ? 1.0 : 0.0);
    if (!*loaded) {
      const std::string since = asking.quoted(net::text_at(answer->data, "/lastConfigTime").value_or("an earlier time"));
      tell(facet::config, reason::expectation, fmt::format("its configuration could not be reloaded, it runs the one of {}", since), found);
    }
    co_return std::nullopt;
  }

  net::network& through_;
  prometheus::terms terms_;
  declarations declared_;
};

}  // namespace

std::unique_ptr<probe> make_prometheus_probe(settings::section& from, const surroundings& in) {
  declarations declared;
  prometheus::terms t = prometheus::read_terms(from, declared);
  from.finish();
  return std::make_unique<prometheus_probe>(in.network, std::move(t), std::move(declared));
}

}  // namespace flipback
