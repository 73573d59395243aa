#include "flipback/shown_item.hpp"

#include "probes/airflow/health.hpp"
#include "probes/airflow/questions.hpp"
#include "probes/airflow/visit.hpp"
#include "probes/declarations.hpp"
#include "probes/findings.hpp"
#include "probes/kinds.hpp"
#include "probes/net/api.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace flipback {

namespace {

using airflow::version;

constexpr std::array<std::string_view, airflow::part_names.size()> ages{"", "scheduler_heartbeat_age", "triggerer_heartbeat_age",
                                                                        "dag_processor_heartbeat_age"};
constexpr duration between_looks = std::chrono::seconds(1);
constexpr duration for_a_look = std::chrono::milliseconds(500);  // what must be left of the time after the wait

struct terms {
  net::api_access anyone;
  version only = version::unknown;  ///< unknown: found out
  airflow::demands demands;
  bool import_errors = true;
  airflow::forbidden_is forbidden = airflow::forbidden_is::a_note;
  std::vector<airflow::wanted_dag> dags;
};

class airflow_probe final : public probe {
 public:
  airflow_probe(net::network& through, terms t, net::credentials who, declarations declared)
      : through_(through),
        terms_(std::move(t)),
        declared_(std::move(declared)),
        login_(terms_.anyone, std::move(who)),
        talks_(terms_.only) {}

  [[nodiscard]] std::span<const measurement_declaration> declares() const override { return declared_.all(); }

  asio::awaitable<observation> observe(run& r) override {
    findings found;
    net::api_session anyone(through_, terms_.anyone, r);
    const bool has_database = co_await look_at_parts(anyone, r, found);
    if (const auto left = anyone.certificate_left()) found.measure("certificate_left", *left);
    if (has_database && login_.has_credentials()) co_await look_inside(r, found);
    co_return found.take();
  }

 private:
  /// Whether more can be asked: without its metadatabase Airflow answers 500 to everything else.
  asio::awaitable<bool> look_at_parts(net::api_session& session, run& r, findings& found) {
    auto seen = co_await ask_health(session);
    if (!seen) {
      found.unwell(seen.error());
      co_return false;
    }
    airflow::complaints complaints = airflow::complaints_of(*seen, terms_.demands);
    if (airflow::any(complaints)) {
      if (r.deadline - std::chrono::steady_clock::now() < between_looks + for_a_look) {
        found.note("at one look: the time-out leaves no second for another");
      } else {
        asio::steady_timer timer(through_.executor(), between_looks);
        co_await timer.async_wait(asio::use_awaitable);
        seen = co_await ask_health(session);
        if (!seen) {
          found.unwell(seen.error());
          co_return false;
        }
        complaints = airflow::lasting(complaints, airflow::complaints_of(*seen, terms_.demands));
      }
    }
    for (std::size_t i = 0; i < seen->size(); ++i) {
      const auto& age = (*seen)[i].heartbeat_age;
      if (age && !ages[i].empty() && terms_.demands.looked_at[i]) found.measure(ages[i], to_seconds(*age));
      if (!complaints[i].empty()) found.unwell(reason::expectation, complaints[i]);
    }
    found.well(fmt::format("Airflow {}", talks_ == version::two ? 2 : 3));
    if (const auto& age = (*seen)[1].heartbeat_age; age && terms_.demands.looked_at[1])
      found.well(fmt::format("scheduler's heartbeat {:.0f} s ago", to_seconds(*age)));
    const bool has_database = complaints[0].empty();
    co_return has_database;
  }

  /// Asks as the version that answered last time, and otherwise finds out: each of the two has no such address as the other's.
  asio::awaitable<net::result<airflow::health>> ask_health(net::api_session& session) {
    const version first = talks_ == version::unknown ? version::three : talks_;
    const version second = first == version::three ? version::two : version::three;
    std::optional<net::failure> failed;
    for (const version v : {first, second}) {
      const std::string path = v == version::two ? "/health" : "/api/v2/monitor/health";
      const auto answer = co_await session.get(path);
      if (!answer) co_return std::unexpected(answer.error());
      if (answer->status == 404 && terms_.only == version::unknown) continue;
      if (answer->status >= 500 && terms_.only == version::unknown) {  // so 2 answers to any address of 3's while its database is gone
        if (!failed) failed = net::unexpected(*answer, "GET " + path);
        continue;
      }
      if (answer->status != 200) co_return std::unexpected(net::unexpected(*answer, "GET " + path));
      const auto read = answer->json();
      if (!read) co_return std::unexpected(net::failure{read.error().why, fmt::format("GET {}: {}", path, read.error().says)});
      const auto seen = airflow::read_health(*read, airflow::clock_of(*answer));
      if (!seen)
        co_return std::unexpected(
            net::failure{reason::bad_answer,
                         fmt::format("GET {} answered JSON without a metadatabase's and a scheduler's status: it is no Airflow", path)});
      talks_ = v;
      co_return *seen;
    }
    if (failed) co_return std::unexpected(std::move(*failed));
    co_return std::unexpected(net::failure{
        reason::absent,
        "neither GET /api/v2/monitor/health nor GET /health is there: it is no Airflow, or its address has a path of its own"});
  }

  asio::awaitable<void> look_inside(run& r, findings& found) {
    airflow::visit visit(through_, login_, talks_, r);
    if (terms_.import_errors) co_await airflow::look_at_import_errors(visit, terms_.forbidden, found);
    for (const airflow::wanted_dag& dag : terms_.dags) {
      if (visit.refused()) break;
      co_await airflow::look_at_dag(dag, visit, found);
    }
  }

  net::network& through_;
  terms terms_;
  declarations declared_;
  airflow::login login_;
  version talks_;
};

void read_dags(settings::section& from, terms& into, declarations& declared) {
  const auto add = [&](std::string id, std::optional<duration> within) {
    if (id.empty()) return from.report("dags", "has an empty name in it");
    const std::string_view measured_as = declared.add_of(id, "last_success_age", signal_kind::gauge, unit::seconds);
    if (std::ranges::find(into.dags, measured_as, &airflow::wanted_dag::last_success_measured_as) != into.dags.end())
      return from.report("dags", fmt::format("has two names that would both be measured as {}", measured_as));
    into.dags.push_back({std::move(id), within, measured_as});
  };
  const settings::node* const written = from.raw("dags");
  if (written == nullptr) return;
  if (std::holds_alternative<settings::table>(written->value)) {
    for (auto& [id, of] : from.inners("dags")) {
      add(id, of.span("within", std::chrono::seconds(1), std::chrono::days(3660)));
      of.finish();
    }
  } else {
    for (std::string& id : from.texts("dags")) add(std::move(id), std::nullopt);
  }
}

/// The places in `part_names` of those that a key names; one that is none is reported.
std::vector<std::size_t> parts_under(const char* key, settings::section& from) {
  std::vector<std::size_t> named;
  const std::vector<std::string> names = from.texts(key);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto* const at = std::ranges::find(airflow::part_names, names[i]);
    if (at != airflow::part_names.end())
      named.push_back(static_cast<std::size_t>(at - airflow::part_names.begin()));
    else
      from.report(key,
                  fmt::format("found {}, expected one of {}", settings::shown_item(from, key, i), fmt::join(airflow::part_names, ", ")));
  }
  return named;
}

/// The metadatabase is always looked at: without it Airflow knows nothing of the others.
void read_parts(settings::section& from, airflow::demands& into) {
  if (from.has("parts")) into.looked_at = {true};
  for (const std::size_t part : parts_under("parts", from)) into.looked_at[part] = true;
  for (std::size_t i = 0; i < into.needed.size(); ++i) into.needed[i] = into.needed[i] && into.looked_at[i];
  for (const std::size_t part : parts_under("needs", from)) {
    if (!into.looked_at[part]) from.report("needs", fmt::format("found \"{}\", which parts leaves out", airflow::part_names[part]));
    into.needed[part] = true;
  }
}

}  // namespace

std::unique_ptr<probe> make_airflow_probe(settings::section& from, const surroundings& in) {
  terms t;
  t.anyone = net::read_api_access(from, "http://127.0.0.1:8080");
  net::credentials who = net::read_credentials(from);
  const std::string only = from.choice("version", "auto", {"auto", "2", "3"});
  if (only != "auto") t.only = only == "2" ? version::two : version::three;
  t.demands.max_heartbeat_age = from.span("max_heartbeat_age", t.demands.max_heartbeat_age, std::chrono::seconds(1), std::chrono::days(1));
  read_parts(from, t.demands);
  declarations declared;
  for (std::size_t i = 0; i < ages.size(); ++i) {
    if (const std::string_view age = ages[i]; !age.empty() && t.demands.looked_at[i])
      declared.add({age, signal_kind::gauge, unit::seconds});
  }
  const auto import_errors = from.boolean("import_errors");
  t.import_errors = import_errors.value_or(true);
  if (import_errors.value_or(false)) t.forbidden = airflow::forbidden_is::unwell;
  const bool has_credentials = who.token || who.password;
  if (t.import_errors && has_credentials) declared.add({"import_errors", signal_kind::gauge, unit::number});
  read_dags(from, t, declared);
  for (const std::string_view key : {"dags", "import_errors"}) {
    const bool asks = key == "dags" ? !t.dags.empty() : import_errors.value_or(false);
    if (asks && !has_credentials)
      from.report(key, "needs user and password, or a token: without them Airflow tells the state of its parts alone");
  }
  declared.add_certificate(t.anyone.ask.to);
  from.finish();
  return std::make_unique<airflow_probe>(in.network, std::move(t), std::move(who), std::move(declared));
}

}  // namespace flipback
