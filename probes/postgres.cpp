#include "probes/kinds.hpp"
#include "probes/net/host.hpp"
#include "probes/postgres/address.hpp"
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
  std::vector<postgres::server> servers;  ///< asked in turn for what `target_session_attrs` says; with none of it, the first that answers
  std::map<std::string, std::string> parameters;  ///< libpq's, but for the servers
  secret password;
  bool in_clear = false;            ///< the password may be sent as it stands without TLS
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
  postgres_probe(net::network& through, terms t) : through_(through), aside_(through.executor()), terms_(std::move(t)) {}

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
    auto connected = co_await connection::open(through_.executor(), aside_, std::move(*parameters), terms_.in_clear, r);
    if (!connected) co_return found.unwell(connected.error());
    const instant open = std::chrono::steady_clock::now();
    found.measure("connect_seconds", to_seconds(open - began));
    if (const auto left = connected->certificate_left()) found.measure("certificate_left", *left);
    r.now = phase::asking;
    r.part = postgres::cut_off;
    const bool goes_on = co_await ask(terms_.questions, *connected, r, found);
    r.part = {};
    found.measure("query_seconds", to_seconds(std::chrono::steady_clock::now() - open));
    if (goes_on) co_await ask_own(*connected, r, found);
  }

  /// libpq would look the names up itself, and block. Of several servers those whose names are not known are left out.
  asio::awaitable<net::result<std::map<std::string, std::string>>> whole_parameters() const {
    std::vector<std::string> hosts;
    std::vector<std::string> addresses;
    std::vector<std::string> ports;
    const auto add = [&](const postgres::server& one, std::string address) {
      hosts.push_back(one.host);
      addresses.push_back(std::move(address));
      ports.push_back(one.port);
    };
    net::failure unknown;
    for (const postgres::server& one : terms_.servers) {
      if (one.host.starts_with('/')) {
        add(one, "");
        continue;
      }
      const auto found = co_await through_.resolve(one.host);
      if (!found) unknown = found.error();
      for (std::size_t i = 0; found && i < found->size(); ++i) add(one, (*found)[i].to_string());
    }
    if (hosts.empty()) co_return std::unexpected(std::move(unknown));
    std::map<std::string, std::string> whole = terms_.parameters;
    whole["host"] = fmt::format("{}", fmt::join(hosts, ","));
    whole["hostaddr"] = fmt::format("{}", fmt::join(addresses, ","));
    whole["port"] = fmt::format("{}", fmt::join(ports, ","));
    if (!terms_.password.empty()) whole["password"] = terms_.password.reveal();
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
  off_loop aside_;
  terms terms_;
};

constexpr std::initializer_list<std::string_view> ways_of_tls{"disable", "allow", "prefer", "require", "verify-ca", "verify-full"};

/// What stands in the URL can't stand in a key of its own as well.
void read_url(settings::section& from, terms& into) {
  auto read = postgres::parse_address(from.text("url", ""));
  if (!read)
    return from.report("url", fmt::format("found {}, which {}; expected postgresql://[user[:password]@]host[:port][,host…][/database]",
                                          from.shown("url"), read.error()));
  const auto stands_twice = [&](const char* key, bool in_url) {
    if (from.has(key) && in_url) from.report(key, "stands in url, too: expected one of the two");
  };
  stands_twice("host", true);
  stands_twice("port", true);
  stands_twice("user", !read->user.empty());
  stands_twice("database", !read->database.empty());
  stands_twice("password", !read->password.empty());
  stands_twice("password_file", !read->password.empty());
  for (const char* key : {"sslmode", "sslrootcert"}) stands_twice(key, read->parameters.contains(key));
  into.servers = std::move(read->servers);
  into.parameters = std::move(read->parameters);
  if (!read->user.empty()) into.parameters["user"] = std::move(read->user);
  if (!read->database.empty()) into.parameters["dbname"] = std::move(read->database);
  into.password = std::move(read->password);
  from.keep(into.password);
}

void read_server(settings::section& from, terms& into) {
  if (from.has("url")) {
    read_url(from, into);
  } else {
    into.servers.push_back({from.required_text("host", "127.0.0.1"), std::to_string(from.integer("port", 5432, 1, 65535))});
    const bool is_folder = into.servers.front().host.starts_with('/');
    if (!is_folder) net::report_not_a_host(from, "host", into.servers.front().host);
  }
  auto& parameters = into.parameters;
  const auto add = [&](const char* name, std::string value) { parameters.emplace(name, std::move(value)); };  // the URL's stays
  add("user", from.text("user", "postgres"));
  add("dbname", from.text("database", parameters["user"]));
  add("sslmode", from.choice("sslmode", "prefer", ways_of_tls));
  if (const auto root = from.text("sslrootcert")) add("sslrootcert", *root);
  add("application_name", "flipback");
  add("client_encoding", "UTF8");
  add("gssencmode", "disable");
  if (auto password = from.hidden("password")) into.password = std::move(*password);
  into.in_clear = from.boolean("cleartext_password", false);
}

}  // namespace

std::unique_ptr<probe> make_postgres_probe(settings::section& from, const surroundings& in) {
  terms t;
  read_server(from, t);
  t.declared.add({"connect_seconds", signal_kind::gauge, unit::seconds});
  t.declared.add({"query_seconds", signal_kind::gauge, unit::seconds});
  // The others take an answer without TLS, too.
  if (t.parameters["sslmode"] == "require" || t.parameters["sslmode"].starts_with("verify-"))
    t.declared.add({"certificate_left", signal_kind::gauge, unit::seconds});
  t.questions.push_back(postgres::ask_activity(t.declared));
  if (from.boolean("replication", true)) t.questions.push_back(postgres::ask_replication(t.declared));
  postgres::add_row_security(from, t.declared, t.questions);
  postgres::add_migrations(from, t.parameters["user"], t.declared, t.questions);
  postgres::add_postgis(from, t.questions);
  t.own = postgres::read_own_queries(from, t.declared);
  from.finish();
  return std::make_unique<postgres_probe>(in.network, std::move(t));
}

}  // namespace flipback
