#include "flipback/base64.hpp"
#include "flipback/percent.hpp"
#include "flipback/quoted.hpp"

#include "probes/findings.hpp"
#include "probes/kinds.hpp"
#include "probes/neo4j/bolt.hpp"
#include "probes/net/api.hpp"
#include "probes/net/tls_settings.hpp"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <array>

namespace flipback {

namespace {

constexpr std::array declared{
    measurement_declaration{"http_seconds", signal_kind::gauge, unit::seconds},
    measurement_declaration{"bolt_seconds", signal_kind::gauge, unit::seconds},
    measurement_declaration{"value", signal_kind::gauge, unit::number},
    measurement_declaration{"certificate_left", signal_kind::gauge, unit::seconds},
};

// neo4j:// asks for a routing table first; we ask the server that is named, and nobody else.
constexpr std::array schemes{net::scheme{"http", 7474},          net::scheme{"https", 7473, true},    net::scheme{"bolt", 7687},
                             net::scheme{"bolt+s", 7687, true},  net::scheme{"bolt+ssc", 7687, true}, net::scheme{"neo4j", 7687},
                             net::scheme{"neo4j+s", 7687, true}, net::scheme{"neo4j+ssc", 7687, true}};

/// Where the server is asked, by one protocol.
struct place {
  net::url at;
  net::tls_options tls;
};

struct terms {
  std::optional<place> http;
  std::optional<place> bolt;
  std::string user;
  secret password;
  std::string database;
  std::string query;
};

double seconds_since(instant began) {
  return to_seconds(std::chrono::steady_clock::now() - began);
}

class neo4j_probe final : public probe {
 public:
  neo4j_probe(net::network& through, terms t) : through_(through), terms_(std::move(t)) {
    hidden_.push_back(terms_.password);
    hidden_.emplace_back(authorization());
  }

  [[nodiscard]] std::span<const measurement_declaration> declares() const override {
    const bool tls = (terms_.http && terms_.http->at.tls) || (terms_.bolt && terms_.bolt->at.tls);
    return std::span(declared).first(declared.size() - (tls ? 0 : 1));  // the last one is the certificate's
  }

  asio::awaitable<observation> observe(run& r) override {
    findings found;
    for (const secret& s : hidden_) r.learned.keep(s);
    if (terms_.http) co_await by_http(r, found);
    // A wrong password is tried once: three in a row lock the user out, for everybody.
    if (terms_.bolt && found.is_well()) co_await by_bolt(r, found);
    co_return found.take();
  }

 private:
  [[nodiscard]] std::string authorization() const { return to_base64(fmt::format("{}:{}", terms_.user, terms_.password.reveal())); }

  void take_value(const net::json::value& value, findings& into) const {
    if (value.is_number()) into.measure("value", value.to_number<double>());
  }

  [[nodiscard]] net::http_request request(std::string_view method, std::string target) const {
    net::http_request made;
    made.method = method;
    made.to = terms_.http->at;
    made.to.target = std::move(target);
    made.tls = terms_.http->tls;
    return made;
  }

  asio::awaitable<void> by_http(run& r, findings& found) const {
    net::http_client client(through_, true);
    const instant began = std::chrono::steady_clock::now();
    const net::http_request hello = request("GET", "/");  // needs no credentials, and so gets none
    const auto greeted = co_await client.exchange(hello, r);
    if (!greeted) co_return found.unwell(greeted.error());
    if (greeted->certificate_days) found.measure("certificate_left", *greeted->certificate_days * 86400);
    if (greeted->status != 200) co_return found.unwell(net::unexpected(*greeted, "GET /"));
    const auto about = greeted->json();
    if (!about) co_return found.unwell(about.error().why, fmt::format("GET /: {}", about.error().says));
    const auto version = net::text_at(*about, "/neo4j_version");
    if (!version)
      co_return found.unwell(reason::bad_answer, "GET / answered JSON without neo4j_version: it is no Neo4j, or not its HTTP port");
    const bool has_query_api = net::text_at(*about, "/query").has_value();  // from 5.19; the older one is deprecated since
    net::http_request question =
        request("POST", fmt::format("/db/{}/{}", percent_encoded(terms_.database), has_query_api ? "query/v2" : "tx/commit"));
    if (!terms_.user.empty()) question.headers.emplace_back("Authorization", "Basic " + authorization());
    question.headers.emplace_back("Content-Type", "application/json");
    question.headers.emplace_back("Accept", "application/json");
    if (!has_query_api) question.headers.emplace_back("Access-Mode", "READ");  // from 4.4.4
    net::json::object statement;
    statement["statement"] = terms_.query;
    if (has_query_api) statement["accessMode"] = "Read";
    question.body = net::json::serialize(has_query_api ? net::json::value(statement) : net::json::value({{"statements", {statement}}}));
    const auto answer = co_await client.exchange(question, r);
    if (!answer) co_return found.unwell(answer.error());
    judge(*answer, has_query_api, found);
    if (!found.is_well()) co_return;
    const double took = seconds_since(began);
    found.measure("http_seconds", took);
    found.well(fmt::format("Neo4j {} {}, HTTP {:.0f} ms", flipback::quoted(*version, {}, 20),
                           flipback::quoted(net::text_at(*about, "/neo4j_edition").value_or(""), {}, 20), took * 1000));
  }

  /// Both APIs may say 200 or 202 and have failed: what counts is that there is no error in the answer.
  void judge(const net::http_answer& answer, bool query_api, findings& found) const {
    const auto said = answer.json();
    if (!said) {
      if (answer.status / 100 != 2) return found.unwell(net::unexpected(answer, "the query"));
      return found.unwell(said.error());
    }
    const net::json::array* errors = net::array_at(*said, "/errors");
    if (errors != nullptr && !errors->empty()) {
      const std::string code = flipback::quoted(net::text_at(errors->front(), "/code").value_or("no code"), hidden_);
      return found.unwell(neo4j::failure_of(code, flipback::quoted(net::text_at(errors->front(), "/message").value_or(""), hidden_)));
    }
    if (answer.status / 100 != 2) return found.unwell(net::unexpected(answer, "the query", "200 or 202"));
    if (net::value_at(*said, query_api ? "/data/values" : "/results") == nullptr)
      return found.unwell(reason::bad_answer, "the answer to the query has neither rows nor errors");
    if (const auto* value = net::value_at(*said, query_api ? "/data/values/0/0" : "/results/0/data/0/row/0")) take_value(*value, found);
  }

  asio::awaitable<void> by_bolt(run& r, findings& found) const {
    const instant began = std::chrono::steady_clock::now();
    const auto connected = co_await net::connect(through_, terms_.bolt->at.to, terms_.bolt->at.tls ? &terms_.bolt->tls : nullptr, r);
    if (!connected) co_return found.unwell(connected.error());
    if (const auto days = (*connected)->certificate_days(); days && !(terms_.http && terms_.http->at.tls))
      found.measure("certificate_left", *days * 86400);
    neo4j::bolt talk(**connected);
    r.now = phase::handshaking;
    if (const auto agreed = co_await talk.shake_hands(); !agreed) co_return found.unwell(agreed.error());
    r.now = phase::authenticating;
    if (const auto let_in = co_await talk.log_in(terms_.user, terms_.password.reveal()); !let_in)
      co_return found.unwell(let_in.error().why, flipback::quoted(let_in.error().says, hidden_, 400));
    r.now = phase::asking;
    const auto value = co_await talk.first_value(terms_.query, terms_.database);
    if (!value) co_return found.unwell(value.error().why, flipback::quoted(value.error().says, hidden_, 400));
    co_await talk.say_goodbye();
    if (!terms_.http) take_value(*value, found);  // else it was told over HTTP
    const double took = seconds_since(began);
    found.measure("bolt_seconds", took);
    found.well(fmt::format("{}Bolt {} {:.0f} ms", terms_.http ? "" : flipback::quoted(talk.server(), hidden_) + ", ", talk.version(),
                           took * 1000));
  }

  net::network& through_;
  terms terms_;
  std::vector<secret> hidden_;
};

std::optional<place> read_place(settings::section& from, std::string_view key, const std::string& text, const net::tls_options& tls) {
  auto read = net::parse_url(text, schemes);
  if (!read) {
    from.report(key, fmt::format("found {}, which {}", from.shown(key), read.error()));
    return std::nullopt;
  }
  if (read->target != "/") from.report(key, fmt::format("found {}, expected no path: the database has a key of its own", from.shown(key)));
  place made{std::move(*read), tls};
  if (text.substr(0, text.find(':')).ends_with("+ssc")) made.tls.verify = false;  // "self-signed certificates": so the drivers mean it
  return made;
}

}  // namespace

std::unique_ptr<probe> make_neo4j_probe(settings::section& from, const surroundings& in) {
  terms t;
  const std::string url = from.required_text("url", "http://127.0.0.1:7474");
  const net::tls_options tls = net::read_tls_options(from);
  const bool is_http = url.starts_with("http");
  if (!url.empty()) (is_http ? t.http : t.bolt) = read_place(from, "url", url, tls);
  if (const auto second = from.text("bolt")) {
    if (!is_http) from.report("bolt", "stands beside a url that is Bolt's already: expected url = \"http://…\" with it");
    if (second->starts_with("http"))
      from.report("bolt", fmt::format("found {}, expected bolt://host:7687", from.shown("bolt")));
    else
      t.bolt = read_place(from, "bolt", *second, tls);
  }
  t.user = from.text("user", "neo4j");
  if (auto password = from.hidden("password")) t.password = std::move(*password);
  if (t.password.empty() && from.has("user")) from.report_here("has a user and no password, expected both");
  if (t.password.empty()) t.user.clear();  // a server without authentication
  t.database = from.text("database", "neo4j");
  t.query = from.text("query", "RETURN 1 AS n");
  from.finish();
  return std::make_unique<neo4j_probe>(in.network, std::move(t));
}

}  // namespace flipback
