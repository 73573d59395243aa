#include "probes/kinds.hpp"
#include "probes/net/ascii_name.hpp"
#include "probes/postgres/questions.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace flipback {

namespace {

using postgres::answer;
using postgres::connection;
using postgres::question;
using postgres::statement;

struct terms {
  std::string host;
  std::map<std::string, std::string> parameters;  ///< libpq's, but for the host's address
  secret password;
  std::vector<question> questions;  ///< asked at once
  std::vector<question> own;        ///< the person's own, one after the other
  declarations declared;
};

/// What a statement may take: less than is left, so that what the others learnt can still be said.
duration share_of(const run& r) {
  return (r.deadline - std::chrono::steady_clock::now()) * 9 / 10;
}

class postgres_probe final : public probe {
 public:
  postgres_probe(net::network& through, terms t) : through_(through), terms_(std::move(t)) {}

  [[nodiscard]] std::span<const measurement_declaration> declares() const override { return terms_.declared.all(); }

  asio::awaitable<observation> observe(run& r) override {
    findings found;
    co_await look(r, found);
    co_return found.take();
  }

 private:
  asio::awaitable<void> look(run& r, findings& found) {
    r.now = phase::resolving;
    auto parameters = co_await whole_parameters();
    if (!parameters) co_return found.unwell(parameters.error());
    const instant began = std::chrono::steady_clock::now();
    r.now = phase::connecting;
    auto connected = co_await connection::open(through_.executor(), std::move(*parameters));
    if (!connected) co_return found.unwell(connected.error());
    const instant open = std::chrono::steady_clock::now();
    found.measure("connect_seconds", to_seconds(open - began));
    if (const auto left = connected->certificate_left()) found.measure("certificate_left", *left);
    r.now = phase::asking;
    const bool goes_on = co_await ask(terms_.questions, *connected, r, found);
    found.measure("query_seconds", to_seconds(std::chrono::steady_clock::now() - open));
    if (goes_on) co_await ask_own(*connected, r, found);
  }

  /// libpq would look the name up itself, and block.
  asio::awaitable<net::result<std::map<std::string, std::string>>> whole_parameters() const {
    std::map<std::string, std::string> whole = terms_.parameters;
    whole["host"] = terms_.host;
    if (!terms_.password.empty()) whole["password"] = terms_.password.reveal();
    if (terms_.host.starts_with('/')) co_return whole;
    const auto addresses = co_await through_.resolve(terms_.host);
    if (!addresses) co_return std::unexpected(addresses.error());
    std::vector<std::string> all;
    for (const asio::ip::address& address : *addresses) all.push_back(address.to_string());
    whole["hostaddr"] = fmt::format("{}", fmt::join(all, ","));
    whole["host"] = fmt::format("{}", fmt::join(std::vector(all.size(), terms_.host), ","));
    co_return whole;
  }

  /// False: the connection has ended.
  static asio::awaitable<bool> ask(std::span<const question> all, connection& of, const run& r, findings& found) {
    std::vector<statement> statements;
    for (const question& q : all) statements.push_back(q.asks);
    const std::vector<answer> answers = co_await of.ask(std::move(statements), share_of(r));
    for (std::size_t i = 0; i < answers.size(); ++i) all[i].hear(answers[i], found);
    co_return !of.ended();
  }

  asio::awaitable<void> ask_own(connection& of, const run& r, findings& found) const {
    for (std::size_t i = 0; i < terms_.own.size(); ++i) {
      if (co_await ask(std::span(terms_.own).subspan(i, 1), of, r, found)) continue;
      if (const std::size_t left = terms_.own.size() - i - 1; left > 0)
        found.note(fmt::format("the connection ended, {} more queries were not asked", left));
      co_return;
    }
  }

  net::network& through_;
  terms terms_;
};

}  // namespace

std::unique_ptr<probe> make_postgres_probe(settings::section& from, const surroundings& in) {
  terms t;
  t.host = from.required_text("host", "127.0.0.1");
  if (const auto wrong = t.host.starts_with('/') ? std::nullopt : net::not_ascii(t.host)) from.report("host", *wrong);
  t.parameters["port"] = std::to_string(from.integer("port", 5432, 1, 65535));
  t.parameters["user"] = from.text("user", "postgres");
  t.parameters["dbname"] = from.text("database", t.parameters["user"]);
  t.parameters["sslmode"] = from.choice("sslmode", "prefer", {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"});
  if (const auto root = from.text("sslrootcert")) t.parameters["sslrootcert"] = *root;
  t.parameters["application_name"] = "flipback";
  t.parameters["client_encoding"] = "UTF8";
  t.parameters["gssencmode"] = "disable";
  if (auto password = from.hidden("password")) t.password = std::move(*password);
  t.declared.add({"connect_seconds", signal_kind::gauge, unit::seconds});
  t.declared.add({"query_seconds", signal_kind::gauge, unit::seconds});
  // The others take an answer without TLS, too.
  if (t.parameters["sslmode"] == "require" || t.parameters["sslmode"].starts_with("verify-"))
    t.declared.add({"certificate_left", signal_kind::gauge, unit::seconds});
  t.questions.push_back(postgres::ask_activity(t.declared));
  t.questions.push_back(postgres::ask_replication(t.declared));
  postgres::add_row_security(from, t.declared, t.questions);
  postgres::add_migrations(from, t.parameters["user"], t.declared, t.questions);
  postgres::add_postgis(from, t.questions);
  t.own = postgres::read_own_queries(from, t.declared);
  from.finish();
  return std::make_unique<postgres_probe>(in.network, std::move(t));
}

}  // namespace flipback
