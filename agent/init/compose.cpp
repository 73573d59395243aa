#include "agent/init/compose.hpp"

#include "flipback/quoted.hpp"

#include <fmt/format.h>

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace flipback::init {

namespace {

constexpr int deepest_merge = 8;

/// A map's member, also one that it takes over with `<<`. Null where there is none.
YAML::Node member(const YAML::Node& of, const char* key, int depth = 0) {
  if (!of.IsMap() || depth > deepest_merge) return YAML::Node(YAML::NodeType::Null);
  if (const YAML::Node found = of[key]; found.IsDefined()) return found;
  const YAML::Node merged = of["<<"];
  if (!merged.IsDefined()) return YAML::Node(YAML::NodeType::Null);
  if (!merged.IsSequence()) return member(merged, key, depth + 1);
  for (const YAML::Node& each : merged) {
    if (YAML::Node found = member(each, key, depth + 1); !found.IsNull()) return found;
  }
  return YAML::Node(YAML::NodeType::Null);
}

std::string scalar(const YAML::Node& of) {
  return of.IsScalar() ? of.Scalar() : std::string();
}

/// What stands between ${ and }: NAME, NAME:-default, NAME-default.
std::optional<std::string> value_of(std::string_view inside, const config::environment& known) {
  const std::string_view name = inside.substr(0, inside.find_first_of(":-?+"));
  const auto set = known.find(name);
  if (set != known.end() && !set->second.empty()) return set->second;
  const std::string_view rest = inside.substr(name.size());
  if (rest.starts_with(":-")) return std::string(rest.substr(2));
  if (rest.starts_with('-')) return std::string(rest.substr(1));
  return std::nullopt;
}

std::optional<std::string> filled(std::string_view text, const config::environment& known) {
  std::string made;
  while (!text.empty()) {
    const std::size_t dollar = std::min(text.find('$'), text.size());
    made += text.substr(0, dollar);
    text.remove_prefix(dollar);
    if (text.empty()) break;
    const std::size_t close = text.find('}');
    if (!text.starts_with("${") || close == std::string_view::npos) return std::nullopt;
    const auto value = value_of(text.substr(2, close - 2), known);
    if (!value) return std::nullopt;
    made += *value;
    text.remove_prefix(close + 1);
  }
  return made;
}

std::optional<std::uint16_t> port_in(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool whole = error == std::errc{} && end == text.data() + text.size() && port != 0;
  return whole ? std::optional(port) : std::nullopt;
}

std::string reached_at(std::string_view address) {
  if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
  if (address.empty() || address == "0.0.0.0" || address == "::") return "127.0.0.1";
  return std::string(address);
}

/// "8080:80", "127.0.0.1:8080:80", "8080:80/tcp".
std::optional<published_port> in_short_form(std::string_view text) {
  if (text.ends_with("/tcp")) text.remove_suffix(4);
  const std::size_t last = text.rfind(':');
  if (last == std::string_view::npos) return std::nullopt;  // on a port that Docker chooses
  const std::string_view before = text.substr(0, last);
  const std::size_t first = before.rfind(':');
  const auto target = port_in(text.substr(last + 1));
  const auto port = port_in(before.substr(first == std::string_view::npos ? 0 : first + 1));
  if (!target || !port) return std::nullopt;
  return published_port{*target, reached_at(before.substr(0, first == std::string_view::npos ? 0 : first)), *port};
}

std::optional<published_port> published_in(const YAML::Node& entry, const config::environment& known) {
  const auto text = [&](const char* key) { return filled(scalar(member(entry, key)), known).value_or(""); };
  if (entry.IsScalar()) {
    const auto whole = filled(entry.Scalar(), known);
    return whole ? in_short_form(*whole) : std::nullopt;
  }
  const auto target = port_in(text("target"));
  const auto port = port_in(text("published"));
  if (!target || !port || text("protocol") == "udp") return std::nullopt;
  return published_port{*target, reached_at(text("host_ip")), *port};
}

compose_service service_in(std::string name, const YAML::Node& from, const config::environment& known) {
  compose_service made;
  made.name = std::move(name);
  made.image = filled(scalar(member(from, "image")), known).value_or("");
  made.is_on_hosts_network = scalar(member(from, "network_mode")) == "host";
  const YAML::Node ports = member(from, "ports");
  for (std::size_t i = 0; ports.IsSequence() && i < ports.size(); ++i) {
    if (auto port = published_in(ports[i], known)) made.ports.push_back(*std::move(port));
  }
  return made;
}

}  // namespace

std::expected<std::vector<compose_service>, std::string> compose_services(std::string_view text, const config::environment& known) {
  try {
    const YAML::Node root = YAML::Load(std::string(text));
    const YAML::Node services = member(root, "services");
    if (!services.IsMap()) return std::unexpected("has no services");
    std::vector<compose_service> found;
    for (const auto& each : services) {
      if (each.first.IsScalar() && each.second.IsMap()) found.push_back(service_in(each.first.Scalar(), each.second, known));
    }
    return found;
  } catch (const YAML::Exception& error) {
    return std::unexpected(fmt::format("is no YAML: line {}: {}", error.mark.line + 1, flipback::quoted(error.msg)));
  }
}

}  // namespace flipback::init
