#include "probes/kinds.hpp"
#include "probes/postgres/connection.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace flipback {

namespace {

using postgres::connection;

constexpr std::array declared{
    measurement_declaration{"connections", signal_kind::gauge, unit::number},
    measurement_declaration{"connections_max", signal_kind::gauge, unit::number},
    measurement_declaration{"connections_used_ratio", signal_kind::gauge, unit::ratio},
    measurement_declaration{"checksum_failures", signal_kind::counter, unit::number},
    measurement_declaration{"connect_seconds", signal_kind::gauge, unit::seconds},
    measurement_declaration{"query_seconds", signal_kind::gauge, unit::seconds},
};

// Works on 13 to 17: `reserved_connections` came with 16, and current_setting(…, true) gives NULL for a name that is not known. What
// superusers have in reserve is nobody else's to use. checksum_failures is NULL where checksums are off. Whoever is not in pg_monitor does
// not see others' backend_type, but sees that they have a user and a database, as only clients and their parallel workers have.
constexpr const char* saturation =
    "SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
    " OR (backend_type IS NULL AND usesysid IS NOT NULL AND datid IS NOT NULL)),"
    " current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int"
    " - COALESCE(current_setting('reserved_connections', true)::int, 0),"
    " (SELECT sum(checksum_failures) FROM pg_stat_database)";

std::optional<double> number(const std::optional<std::string>& text) {
  double value = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), value).ec != std::errc{}) return std::nullopt;
  return value;
}

struct terms {
  std::string host;
  std::map<std::string, std::string> parameters;  ///< libpq's, but for the host's address
  secret password;
  std::string query;  ///< the person's own; empty: saturation
  std::optional<std::string> expect;
};

/// The query, with an end that the server keeps by itself: else each run that times out would leave it working on. SET LOCAL ends with the
/// implicit transaction that several statements sent at once are, so a pooler's other clients don't see it.
std::string bounded(const std::string& query, duration left) {
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(left).count();
  return fmt::format("SET LOCAL statement_timeout = {}; {}", std::clamp<std::int64_t>(milliseconds, 1, 3'600'000), query);
}

class postgres_probe final : public probe {
 public:
  postgres_probe(net::network& through, terms t) : through_(through), terms_(std::move(t)) {}

  [[nodiscard]] std::span<const measurement_declaration> declares() const override { return declared; }

  asio::awaitable<observation> observe(run& r) override {
    std::map<std::string, std::string> parameters = terms_.parameters;
    parameters["host"] = terms_.host;
    if (!terms_.password.empty()) parameters["password"] = terms_.password.reveal();
    if (!terms_.host.starts_with('/')) {
      // libpq would look the name up itself, and block.
      r.now = phase::resolving;
      const auto addresses = co_await through_.resolve(terms_.host);
      if (!addresses) co_return observation::fail(addresses.error().why, addresses.error().says);
      std::vector<std::string> all;
      for (const asio::ip::address& address : *addresses) all.push_back(address.to_string());
      parameters["hostaddr"] = fmt::format("{}", fmt::join(all, ","));
      parameters["host"] = fmt::format("{}", fmt::join(std::vector(all.size(), terms_.host), ","));
    }
    const instant began = std::chrono::steady_clock::now();
    r.now = phase::connecting;
    auto connected = co_await connection::open(through_.executor(), parameters);
    if (!connected) co_return observation::fail(connected.error().why, connected.error().says);
    const instant open = std::chrono::steady_clock::now();
    r.now = phase::asking;
    const auto row = co_await connected->first_row(bounded(terms_.query.empty() ? saturation : terms_.query, r.deadline - open));
    if (!row) co_return observation::fail(row.error().why, row.error().says);
    observation seen = terms_.query.empty() ? saturation_of(*row) : held(*row);
    seen.measure("connect_seconds", to_seconds(open - began));
    seen.measure("query_seconds", to_seconds(std::chrono::steady_clock::now() - open));
    co_return seen;
  }

 private:
  static observation saturation_of(const postgres::row& row) {
    if (row.size() != 3) return observation::fail(reason::bad_answer, "the answer has not the columns that were asked for");
    const auto used = number(row[0]);
    const auto most = number(row[1]);
    if (!used || !most) return observation::fail(reason::bad_answer, "the answer holds no numbers");
    observation seen = observation::pass(fmt::format("{} of {} connections", *used, *most));
    seen.measure("connections", *used);
    seen.measure("connections_max", *most);
    if (*most > 0) seen.measure("connections_used_ratio", *used / *most);
    if (const auto failures = number(row[2])) seen.measure("checksum_failures", *failures);
    return seen;
  }

  [[nodiscard]] observation held(const postgres::row& row) const {
    const std::string found = row.empty() || !row[0] ? "" : *row[0];
    if (!terms_.expect || found == *terms_.expect) return observation::pass(row.empty() ? "no row" : fmt::format("answered {}", found));
    return observation::fail(reason::expectation, fmt::format("answered \"{}\", expected \"{}\"", found, *terms_.expect));
  }

  net::network& through_;
  terms terms_;
};

}  // namespace

std::unique_ptr<probe> make_postgres_probe(settings::section& from, const surroundings& in) {
  terms t;
  t.host = from.required_text("host", "127.0.0.1");
  t.parameters["port"] = std::to_string(from.integer("port", 5432, 1, 65535));
  t.parameters["user"] = from.text("user", "postgres");
  t.parameters["dbname"] = from.text("database", t.parameters["user"]);
  t.parameters["sslmode"] = from.choice("sslmode", "prefer", {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"});
  if (const auto root = from.text("sslrootcert")) t.parameters["sslrootcert"] = *root;
  t.parameters["application_name"] = "flipback";
  t.parameters["gssencmode"] = "disable";
  if (auto password = from.hidden("password")) t.password = std::move(*password);
  t.query = from.text("query", "");
  t.expect = from.text("expect");
  if (t.expect && t.query.empty()) from.report("expect", "needs a query whose first value it is held against");
  from.finish();
  return std::make_unique<postgres_probe>(in.network, std::move(t));
}

}  // namespace flipback
