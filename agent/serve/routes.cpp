#include "agent/serve/routes.hpp"

#include "flipback/percent.hpp"
#include "flipback/quoted.hpp"

#include "agent/serve/problem.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <optional>
#include <vector>

namespace flipback::serve {

namespace {

/// What stands for the part in braces, or "" where the path has none; nothing: it is another path.
std::optional<std::string> part_of(std::string_view path, std::string_view pattern) {
  const std::size_t brace = pattern.find('{');
  if (brace == std::string_view::npos) return path == pattern ? std::optional(std::string()) : std::nullopt;
  if (!path.starts_with(pattern.substr(0, brace))) return std::nullopt;
  const std::string_view rest = path.substr(brace);
  if (rest.empty() || rest.find('/') != std::string_view::npos) return std::nullopt;
  return percent_decoded(rest);
}

answer nothing_there(const std::string& path) {
  return problem(
      404, fmt::format("found the path {}, expected /, /healthz, /metrics, or one that GET /api/v1/openapi.json lists", in_quotes(path)));
}

answer not_by_this_method(const request& what, std::vector<std::string_view> allowed) {
  if (allowed.front() == "GET") allowed.emplace_back("HEAD");
  const std::string all = fmt::format("{}", fmt::join(allowed, ", "));
  answer made = problem(405, fmt::format("found the method {}, expected {}", in_quotes(what.method), all));
  made.headers.emplace_back("Allow", all);
  return made;
}

}  // namespace

std::span<const api::route> api::routes() {
  using enum asks_for;
  static constexpr std::array rolling{key{"reason"}, key{"stable"}, key{"force", true}};
  static constexpr std::array flipping{key{"slot"}, key{"reason"}, key{"force", true}};
  static constexpr std::array approving{key{"rule"}};
  static constexpr std::array holding{key{"for"}, key{"reason"}};
  static constexpr std::array unlatching{key{"yes", true}};
  static constexpr std::array opening{key{"stable"}};
  static constexpr std::array acknowledging{key{"reason"}};
  static constexpr std::array all{route{"GET", "/", nothing, &api::front},
                                  route{"GET", "/healthz", nothing, &api::health},
                                  route{"GET", "/metrics", nothing, &api::metrics},
                                  route{"GET", "/page/{file}", our_name, &api::page},
                                  route{"GET", "/api/v1/openapi.json", reading, &api::document},
                                  route{"GET", "/api/v1/session", reading, &api::session},
                                  route{"GET", "/api/v1/status", reading, &api::tell, "status"},
                                  route{"GET", "/api/v1/rules", reading, &api::tell, "rules"},
                                  route{"GET", "/api/v1/rules/{rule}", reading, &api::rule, "explain"},
                                  route{"GET", "/api/v1/traces", reading, &api::traced},
                                  route{"GET", "/api/v1/probes", reading, &api::probes},
                                  route{"GET", "/api/v1/incidents", reading, &api::tell, "incidents"},
                                  route{"GET", "/api/v1/incidents/{id}", reading, &api::incident, "incidents"},
                                  route{"GET", "/api/v1/log", reading, &api::tell, "log"},
                                  route{"GET", "/api/v1/notifications", reading, &api::tell, "notifications"},
                                  route{"GET", "/api/v1/events", reading, &api::events},
                                  route{"POST", "/api/v1/rollback", changing, &api::change, "rollback", rolling},
                                  route{"POST", "/api/v1/flip", changing, &api::change, "flip", flipping},
                                  route{"POST", "/api/v1/approve", changing, &api::change, "approve", approving},
                                  route{"POST", "/api/v1/hold", changing, &api::change, "hold", holding},
                                  route{"POST", "/api/v1/unhold", changing, &api::change, "unhold"},
                                  route{"POST", "/api/v1/unlatch", changing, &api::change, "unlatch", unlatching},
                                  route{"POST", "/api/v1/window/open", changing, &api::change, "window open", opening},
                                  route{"POST", "/api/v1/window/close", changing, &api::change, "window close"},
                                  route{"POST", "/api/v1/ack", changing, &api::change, "ack", acknowledging}};
  return all;
}

std::expected<found_route, answer> route_of(const request& what) {
  const std::string_view method = what.method == "HEAD" ? "GET" : std::string_view(what.method);
  std::vector<std::string_view> allowed;
  for (const api::route& r : api::routes()) {
    auto part = part_of(what.path, r.path);
    if (!part) continue;
    if (r.method == method) return found_route{&r, *std::move(part)};
    allowed.push_back(r.method);
  }
  return std::unexpected(allowed.empty() ? nothing_there(what.path) : not_by_this_method(what, std::move(allowed)));
}

}  // namespace flipback::serve
