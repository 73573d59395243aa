#include "agent/init/compose.hpp"

#include "flipback/quoted.hpp"

#include <fmt/format.h>

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>
#include <utility>

namespace flipback::init {

namespace {

constexpr int deepest_merge = 8;
constexpr std::string_view by_a_variable = "by a variable that is set in no env file which is read";

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

bool is_of_a_name(char c) {
  return c == '_' || std::isalnum(static_cast<unsigned char>(c)) != 0;
}

/// A variable at the beginning of a text: what it stands for, and how many bytes name it. "$$" is a dollar.
struct filling {
  std::optional<std::string> value;
  std::size_t size = 1;
};
filling filling_at(std::string_view text, const config::environment& known) {
  if (text.starts_with("$$")) return {"$", 2};
  if (text.starts_with("${")) {
    const std::size_t close = text.find('}');
    if (close == std::string_view::npos) return {};
    return {value_of(text.substr(2, close - 2), known), close + 1};
  }
  const std::string_view name = text.substr(1);
  const auto size = static_cast<std::size_t>(std::ranges::find_if_not(name, is_of_a_name) - name.begin());
  return {value_of(name.substr(0, size), known), size + 1};
}

std::optional<std::string> filled(std::string_view text, const config::environment& known) {
  std::string made;
  while (!text.empty()) {
    const std::size_t dollar = std::min(text.find('$'), text.size());
    made += text.substr(0, dollar);
    text.remove_prefix(dollar);
    if (text.empty()) break;
    filling next = filling_at(text, known);
    if (!next.value) return std::nullopt;
    made += *next.value;
    text.remove_prefix(next.size);
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

/// "8000", "8000-8010".
struct ports_in_a_row {
  std::uint16_t first = 0;
  std::uint16_t size = 0;
};
std::optional<ports_in_a_row> row_in(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto first = port_in(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : port_in(text.substr(dash + 1));
  if (!first || !last || *last < *first) return std::nullopt;
  return ports_in_a_row{*first, static_cast<std::uint16_t>(*last - *first + 1)};
}

published_port untold(std::string why, ports_in_a_row targets = {0, 1}) {
  return {.target = targets.first, .size = targets.size, .address = "", .port = 0, .why_untold = std::move(why)};
}

/// What both forms say: `target` in the container at `published` of this host. A port of Docker's own choice is published, too.
published_port published_as(std::string_view target, std::string_view published, std::string_view address) {
  const auto targets = row_in(target);
  if (!targets) return untold(fmt::format("as {}, which can't be read", flipback::in_quotes(target)));
  if (published.empty() || published == "0") return untold("at a port that Docker chooses", *targets);
  const auto ports = row_in(published);
  if (!ports) return untold(fmt::format("at {}, which can't be read", flipback::in_quotes(published)), *targets);
  if (ports->size == targets->size) return {targets->first, targets->size, reached_at(address), ports->first, ""};
  return untold(fmt::format("at one of {}-{}, which Docker chooses", ports->first, ports->first + ports->size - 1), *targets);
}

/// "8080:80", "127.0.0.1:8080:80", "8080:80/tcp", "80". Nothing where it is no port of TCP's.
std::optional<published_port> in_short_form(std::string_view text) {
  if (text.empty()) return std::nullopt;
  if (const std::size_t slash = text.rfind('/'); slash != std::string_view::npos) {
    if (text.substr(slash + 1) != "tcp") return std::nullopt;
    text = text.substr(0, slash);
  }
  const std::size_t last = text.rfind(':');
  if (last == std::string_view::npos) return published_as(text, "", "");
  const std::string_view before = text.substr(0, last);
  const std::size_t first = before.rfind(':');
  const bool has_address = first != std::string_view::npos;
  return published_as(text.substr(last + 1), before.substr(has_address ? first + 1 : 0), before.substr(0, has_address ? first : 0));
}

std::optional<published_port> in_long_form(const YAML::Node& entry, const config::environment& known) {
  std::array<std::string, 4> texts;
  constexpr std::array keys{"target", "published", "host_ip", "protocol"};
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto text = filled(scalar(member(entry, keys.at(i))), known);
    if (!text) return untold(std::string(by_a_variable));
    texts.at(i) = *text;
  }
  const auto& [target, published, address, protocol] = texts;
  if (target.empty() || (!protocol.empty() && protocol != "tcp")) return std::nullopt;
  return published_as(target, published, address);
}

std::optional<published_port> published_in(const YAML::Node& entry, const config::environment& known) {
  if (!entry.IsScalar()) return in_long_form(entry, known);
  const auto whole = filled(entry.Scalar(), known);
  return whole ? in_short_form(*whole) : untold(std::string(by_a_variable));
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

const published_port* compose_service::publishing(std::uint16_t target) const {
  const published_port* found = nullptr;
  for (const published_port& p : ports) {
    const bool is_it = p.target == 0 || (target >= p.target && target - p.target < p.size);
    if (is_it && (found == nullptr || found->port == 0)) found = &p;
    if (found != nullptr && found->port != 0) break;
  }
  return found;
}

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
