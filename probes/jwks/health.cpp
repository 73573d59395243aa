#include "probes/jwks/health.hpp"

#include "flipback/quoted.hpp"

#include "probes/net/api.hpp"

#include <boost/json/array.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace flipback::jwks {

net::result<void> readiness(const net::http_answer& answer, const std::string& asked) {
  // Keycloak answers 404 on its main port, and anywhere while it is built without health-enabled.
  if (answer.status == 404) {
    return std::unexpected(
        net::failure{reason::absent, asked + " answered 404: health is on the management port (9000), with health-enabled"});
  }
  const auto body = answer.json();
  const auto status = body ? net::text_at(*body, "/status") : std::nullopt;
  if (answer.status != 200 && (answer.status != 503 || !status)) return std::unexpected(net::unexpected(answer, asked));
  if (!body) return std::unexpected(net::failure{body.error().why, fmt::format("{}: {}", asked, body.error().says)});
  if (!status) return std::unexpected(net::failure{reason::bad_answer, fmt::format("{} answered JSON without status", asked)});
  if (answer.status == 200 && *status == "UP") return {};
  constexpr std::size_t most_named = 5;
  std::vector<std::string> down;
  if (const net::json::array* checks = net::array_at(*body, "/checks")) {
    for (const net::json::value& check : *checks) {
      if (net::text_at(check, "/status") == "UP" || down.size() == most_named) continue;
      const auto since = net::text_at(check, "/data/Failing since");
      down.push_back(fmt::format("\"{}\"{}", flipback::quoted(net::text_at(check, "/name").value_or("a check without a name")),
                                 since ? fmt::format(" since {}", flipback::quoted(*since, {}, 40)) : ""));
    }
  }
  const std::string which = down.empty() ? "" : fmt::format(": {}", fmt::join(down, ", "));
  return std::unexpected(net::failure{reason::expectation, fmt::format("its readiness is {}{}", flipback::quoted(*status, {}, 20), which)});
}

}  // namespace flipback::jwks
