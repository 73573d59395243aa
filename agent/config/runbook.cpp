#include "agent/config/runbook.hpp"

#include <charconv>

namespace flipback::config {

namespace {

/// A probe's table as if it had been written by hand; its "file" is the variable that it comes from.
class written_table {
 public:
  written_table(const environment& from, std::string variable) : from_(&from), at_{"$" + std::move(variable), 1, 1} {}

  written_table& text(const std::string& key, std::string value) { return put(key, std::move(value)); }
  written_table& from_variable(const std::string& key, std::string_view variable) {
    const auto found = from_->find(variable);
    return found == from_->end() || found->second.empty() ? *this : put(key, found->second);
  }
  written_table& number_from(const std::string& key, std::string_view variable) {
    const auto found = from_->find(variable);
    if (found == from_->end() || found->second.empty()) return *this;
    std::int64_t number = 0;
    const char* const end = found->second.data() + found->second.size();
    if (std::from_chars(found->second.data(), end, number).ptr != end) return put(key, found->second);
    return put(key, number);
  }

  [[nodiscard]] probe_entry probe(std::string name, std::string type) const {
    probe_entry made;
    made.name = std::move(name);
    made.type = std::move(type);
    made.table = {members_, at_, 0};
    return made;
  }

 private:
  template <typename Value>
  written_table& put(const std::string& key, Value value) {
    members_.insert_or_assign(key, settings::member{at_, {settings::node{std::move(value), at_, 0}}});
    return *this;
  }

  const environment* from_;
  settings::position at_;
  settings::table members_;
};

bool is_set(const environment& from, std::string_view name) {
  const auto found = from.find(name);
  return found != from.end() && !found->second.empty();
}

std::string without_slash(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

}  // namespace

void add_runbook_probes(const environment& from, configuration& into, settings::diagnostics& problems) {
  if (is_set(from, "API_URL")) {
    into.probes.push_back(written_table(from, "API_URL").text("url", without_slash(from.find("API_URL")->second) + "/health").probe("api", "http"));
  }
  if (is_set(from, "POSTGRES_HOST")) {
    into.probes.push_back(written_table(from, "POSTGRES_HOST")
                              .from_variable("host", "POSTGRES_HOST")
                              .number_from("port", "POSTGRES_PORT")
                              .from_variable("database", "POSTGRES_DB")
                              .from_variable("user", "POSTGRES_USER")
                              .from_variable("password", "POSTGRES_PASSWORD")
                              .probe("postgres", "postgres"));
  }
  if (is_set(from, "REDIS_URL")) {
    into.probes.push_back(written_table(from, "REDIS_URL").from_variable("url", "REDIS_URL").from_variable("password", "REDIS_PASSWORD").probe("redis", "redis"));
  }
  if (is_set(from, "KEYCLOAK_URL")) {
    const auto realm = from.find("KEYCLOAK_REALM");
    const std::string name = realm == from.end() || realm->second.empty() ? "master" : realm->second;
    const std::string url = without_slash(from.find("KEYCLOAK_URL")->second) + "/realms/" + name + "/protocol/openid-connect/certs";
    into.probes.push_back(written_table(from, "KEYCLOAK_URL").text("url", url).probe("keycloak", "jwks"));
  }
  if (into.probes.empty()) {
    problems.add({"environment", 0, 0},
                 "there is nothing to watch: expected a configuration file (--config FILE), or at least one of API_URL, POSTGRES_HOST, REDIS_URL and "
                 "KEYCLOAK_URL in the environment");
  }
}

}  // namespace flipback::config
