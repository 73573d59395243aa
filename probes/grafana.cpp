#include "flipback/percent.hpp"

#include "probes/declarations.hpp"
#include "probes/findings.hpp"
#include "probes/kinds.hpp"
#include "probes/net/api.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace flipback {

namespace {

namespace json = net::json;

constexpr std::size_t most_datasources = 100;  // asked one after the other, within one deadline

struct terms {
  net::api_access anyone;  ///< without credentials: what /api/health needs
  net::api_access access;
  std::vector<std::string> datasources;  ///< names or uids that must be there; empty: whichever are
  [[nodiscard]] bool has_credentials() const { return !access.secrets.empty(); }
};

struct datasource {
  std::string name;
  std::string uid;
  std::string type;
};

class grafana_probe final : public probe {
 public:
  grafana_probe(net::network& through, terms t, declarations declared)
      : through_(through), terms_(std::move(t)), declared_(std::move(declared)) {}

  [[nodiscard]] std::span<const measurement_declaration> declares() const override { return declared_.all(); }

  asio::awaitable<observation> observe(run& r) override {
    findings found;
    net::api_session anyone(through_, terms_.anyone, r);
    co_await look(anyone, found);
    if (const auto left = anyone.certificate_left()) found.measure("certificate_left", *left);
    if (found.is_well() && terms_.has_credentials()) {
      net::api_session session(through_, terms_.access, r);
      co_await look_at_datasources(session, found);
    }
    co_return found.take();
  }

 private:
  asio::awaitable<void> look(net::api_session& session, findings& found) const {
    const auto answer = co_await session.get("/api/health");
    if (!answer) co_return found.unwell(answer.error());
    const auto health = answer->json();
    const auto database = health ? net::text_at(*health, "/database") : std::nullopt;
    if (!database && answer->status != 200) co_return found.unwell(net::unexpected(*answer, "GET /api/health"));
    if (!health) co_return found.unwell(health.error().why, fmt::format("GET /api/health: {}", health.error().says));
    if (!database) co_return found.unwell(reason::bad_answer, "GET /api/health answered JSON without database: it is no Grafana");
    if (*database != "ok") co_return found.unwell(reason::expectation, fmt::format("its database is {}", session.quoted(*database)));
    if (answer->status != 200) co_return found.unwell(net::unexpected(*answer, "GET /api/health"));
    const auto version = net::text_at(*health, "/version");
    found.well(version ? "Grafana " + session.quoted(*version) : std::string("healthy"));
  }

  asio::awaitable<void> look_at_datasources(net::api_session& session, findings& found) const {
    const auto listed = co_await session.get_json("/api/datasources");
    if (!listed) co_return found.unwell(listed.error());
    if (!(*listed)->is_array()) co_return found.unwell(reason::bad_answer, "GET /api/datasources answered no list");
    std::vector<datasource> all;
    for (const json::value& one : (*listed)->as_array()) {
      all.push_back(
          {net::text_at(one, "/name").value_or(""), net::text_at(one, "/uid").value_or(""), net::text_at(one, "/type").value_or("")});
    }
    for (const std::string& wanted : terms_.datasources) {
      const bool there = std::ranges::any_of(all, [&](const datasource& d) { return d.name == wanted || d.uid == wanted; });
      if (!there) found.unwell(reason::absent, fmt::format("the datasource {} does not exist", session.quoted(wanted)));
    }
    if (!terms_.datasources.empty()) {
      std::erase_if(all, [&](const datasource& d) {
        return std::ranges::find(terms_.datasources, d.name) == terms_.datasources.end() &&
               std::ranges::find(terms_.datasources, d.uid) == terms_.datasources.end();
      });
    }
    if (all.size() > most_datasources)
      found.note(fmt::format("only the first {} of {} datasources were asked", most_datasources, all.size()));
    all.resize(std::min(all.size(), most_datasources));
    double unwell = 0;
    std::vector<std::string> unknown;
    std::vector<std::string> without_backend;
    for (const datasource& d : all) {
      switch (co_await look_at(d, session, found)) {
        case health::well:
          break;
        case health::unwell:
          ++unwell;
          break;
        case health::unknown:
          unknown.push_back(session.quoted(d.name));
          break;
        case health::without_backend:
          without_backend.push_back(session.quoted(d.name));
          break;
      }
    }
    found.measure("datasources", static_cast<double>(all.size()));
    found.measure("datasources_unwell", unwell);
    found.well(fmt::format("{} datasources", all.size()));
    if (!unknown.empty()) found.note(fmt::format("no health check in the plugin of {}", fmt::join(unknown, ", ")));
    if (!without_backend.empty()) found.note(fmt::format("no backend to ask in the plugin of {}", fmt::join(without_backend, ", ")));
  }

  enum class health { well, unwell, unknown, without_backend };

  asio::awaitable<health> look_at(const datasource& d, net::api_session& session, findings& found) const {
    const std::string who = session.quoted(d.name);
    const auto answer = co_await session.get(fmt::format("/api/datasources/uid/{}/health", percent_encoded(d.uid)));
    if (!answer) {
      found.unwell(answer.error());
      co_return health::unwell;
    }
    const auto said = answer->json();
    const std::string message = said ? session.quoted(net::text_at(*said, "/message").value_or("")) : std::string();
    const auto status = said ? net::text_at(*said, "/status") : std::nullopt;
    if (answer->status == 200 && (!status || *status == "OK")) co_return health::well;
    if (status && *status == "UNKNOWN") co_return health::unknown;
    // A plugin without a health check of its own: so it says by its id; before Grafana 10 by 404 and 501 alone.
    const auto id = said ? net::text_at(*said, "/messageId") : std::nullopt;
    if (id == "plugin.unavailable" && !co_await has_backend(d, session)) co_return health::without_backend;
    const bool without_id = !id && (answer->status == 404 || answer->status == 501);
    if (id == "plugin.notImplemented" || without_id) co_return health::unknown;
    if (answer->status == 401 || answer->status == 403) {
      found.unwell(net::unexpected(*answer, fmt::format("the health of {}", who)));
    } else {
      found.unwell(reason::expectation, fmt::format("the datasource {} is unwell: {}", who,
                                                    message.empty() ? fmt::format("its health answered {}", answer->status) : message));
    }
    co_return health::unwell;
  }

  /// Grafana answers alike for a plugin that works in the browser alone and for one whose backend has died. Which it is stands in what it
  /// tells a browser; where that can't be read, the built-in Alertmanager's is the one that is known to have none.
  static asio::awaitable<bool> has_backend(const datasource& d, net::api_session& session) {
    if (d.type == "alertmanager") co_return false;
    const auto settings = co_await session.get_json("/api/frontend/settings");
    const auto* all = settings ? net::value_at(*settings, "/datasources") : nullptr;
    const auto* found = all != nullptr && all->is_object() ? all->get_object().if_contains(d.name) : nullptr;
    co_return found == nullptr || net::boolean_at(*found, "/meta/backend") != false;
  }

  net::network& through_;
  terms terms_;
  declarations declared_;
};

}  // namespace

std::unique_ptr<probe> make_grafana_probe(settings::section& from, const surroundings& in) {
  terms t;
  t.anyone = net::read_api_access(from, "http://127.0.0.1:3000");
  t.access = t.anyone;
  net::read_credentials(from, t.access);
  t.datasources = from.texts("datasources");
  if (!t.datasources.empty() && !t.has_credentials())
    from.report("datasources", "needs a token, or user and password: without them Grafana tells its health alone");
  declarations declared;
  if (t.has_credentials()) {
    declared.add({"datasources", signal_kind::gauge, unit::number});
    declared.add({"datasources_unwell", signal_kind::gauge, unit::number});
  }
  declared.add_certificate(t.access.ask.to);
  from.finish();
  return std::make_unique<grafana_probe>(in.network, std::move(t), std::move(declared));
}

}  // namespace flipback
