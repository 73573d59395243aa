#include "probes/access_log/filter.hpp"

#include <algorithm>
#include <string_view>

namespace flipback::access_log {

namespace {

bool any_prefix(const std::vector<std::string>& prefixes, std::string_view of) {
  return std::ranges::any_of(prefixes, [&](const std::string& p) { return of.starts_with(p); });
}

bool any_equal(const std::vector<std::string>& texts, std::string_view to) {
  return std::ranges::any_of(texts, [&](const std::string& t) { return t == to; });
}

}  // namespace

bool filter::lets_in(const line& of) const {
  const std::string_view agent = of.text(field::agent);
  const std::string_view path = of.text(field::path);
  return !agent.starts_with("flipback/") && !any_equal(health_paths, path) && !any_prefix(paths, path) &&
         !any_equal(hosts, of.text(field::host)) && !any_equal(methods, of.text(field::method)) && !any_prefix(agents, agent);
}

bool filter::is_slow_path(const line& of) const {
  return any_prefix(slow_paths, of.text(field::path));
}

}  // namespace flipback::access_log
