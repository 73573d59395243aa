#include "agent/config/runbook_variables.hpp"
#include "agent/init/probe_tables.hpp"
#include "agent/init/toml_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>

namespace flipback::init {

namespace {

constexpr std::array<std::string_view, 5> address_keys{"url", "host", "port", "address", "health"};

bool is_address(std::string_view key) {
  return key == "issuer" || std::ranges::find(address_keys, key) != address_keys.end();
}

std::string reference(std::string_view variable) {
  return fmt::format("${{{}}}", variable);
}

/// A key's value with the variable's in it as ${NAME}. What is left of a value from which a part was taken may be a secret's: only an
/// address without credentials, and a number, are written as they are.
std::optional<std::string> written(std::string_view key, const std::string& value, std::string_view variable, const std::string& held) {
  if (value == held) return '"' + reference(variable) + '"';
  if (is_address(key) && !held.empty()) {
    if (value.starts_with(held)) return '"' + reference(variable) + escaped(value.substr(held.size())) + '"';
    if (value.ends_with(held)) return '"' + escaped(value.substr(0, value.size() - held.size())) + reference(variable) + '"';
    if (value.contains("://") && value.find_first_of("@?#") == std::string::npos) return in_toml(value);
  }
  const bool is_number =
      !value.empty() && value.size() < 20 && std::ranges::all_of(value, [](unsigned char c) { return std::isdigit(c) != 0; });
  return key == "project" && is_number ? std::optional(in_toml(value)) : std::nullopt;
}

/// "redis://user:password@cache:6379/0" → "cache".
std::string host_in(std::string_view place) {
  if (const std::size_t scheme = place.find("://"); scheme != std::string_view::npos) place.remove_prefix(scheme + 3);
  place = place.substr(0, place.find_first_of("/?#"));
  if (const std::size_t at = place.rfind('@'); at != std::string_view::npos) place.remove_prefix(at + 1);
  return std::string(place.substr(0, place.rfind(':')));
}

/// The variables that a table of the runbook's took something from.
std::set<std::string> variables_of(const settings::table& keys) {
  std::set<std::string> all;
  for (const auto& [key, member] : keys) all.insert(member.value.front().at.file);
  return all;
}

}  // namespace

std::vector<probe_table> probes_of_variables(const config::variables& known, std::vector<std::string>& notes) {
  std::vector<probe_table> made;
  for (const config::runbook_row& row : config::runbook_rows()) {
    if (std::ranges::find(made, row.name, &probe_table::name) != made.end()) continue;  // another variable names it, too
    config::written_table from(known, row.variable);
    if (!from.is_set(row.variable) && from.unread().empty()) continue;
    row.fill(from);
    if (from.is_empty() && from.unread().empty()) continue;
    probe_table table{.name = std::string(row.name), .type = std::string(row.type), .is_of_variables = true};
    if (!from.unread().empty()) notes.push_back(fmt::format("probes.{}: {}", table.name, from.unread()));
    const settings::node node = from.take();
    const auto& keys = std::get<settings::table>(node.value);
    for (const auto& [key, member] : keys) {
      const settings::node& value = member.value.front();
      const std::string& variable = value.at.file;
      const auto held = known.set.find(variable);
      const auto* text = std::get_if<std::string>(&value.value);
      if (text == nullptr || held == known.set.end()) continue;
      if (is_address(key) && key != "port" && table.host.empty()) table.host = host_in(*text);
      if (auto toml = written(key, *text, variable, held->second))
        (is_address(key) ? table.address : table.credentials)[key] = *std::move(toml);
      else
        notes.push_back(fmt::format("probes.{}: {} is a part of {}, and no part of a variable is copied: give it a variable of its own",
                                    table.name, key, variable));
    }
    table.says = fmt::format("Named by {}.", fmt::join(variables_of(keys), ", "));
    if (!table.address.empty()) made.push_back(std::move(table));
  }
  return made;
}

}  // namespace flipback::init
