#include "flipback/small_file.hpp"

#include "agent/config/configuration.hpp"
#include "agent/config/cross_checks.hpp"
#include "agent/config/read_agent.hpp"
#include "agent/config/read_deployment.hpp"
#include "agent/config/read_nginx.hpp"
#include "agent/config/read_notify.hpp"
#include "agent/config/read_probes.hpp"
#include "agent/config/read_rules.hpp"
#include "agent/config/read_slots.hpp"
#include "agent/config/runbook.hpp"
#include "agent/config/toml.hpp"

#include <fmt/format.h>

namespace flipback::config {

namespace {

std::optional<std::string> contents(const std::filesystem::path& file, settings::diagnostics& into) {
  auto text = read_small_file(file.string());
  if (text) return *std::move(text);
  into.add({file.string(), 0, 0}, fmt::format("can't read the configuration: {}", text.error()));
  return std::nullopt;
}

/// The names of the env files may themselves use what is set without them.
void name_env_files(settings::node& document, const sources& from, std::vector<env_file>& files, settings::diagnostics& into) {
  auto& members = std::get<settings::table>(document.value);
  const auto at = members.find("env_files");
  if (at == members.end()) return;
  settings::node& named = at->second.value.front();
  interpolate(named, "env_files", {from.process, {}, {}}, into);
  if (const auto* items = std::get_if<settings::array>(&named.value)) {
    for (const settings::node& item : *items) {
      if (const auto* path = std::get_if<std::string>(&item.value)) files.push_back({*path, item.at});
    }
  } else if (const auto* path = std::get_if<std::string>(&named.value)) {
    files.push_back({*path, named.at});
  }
}

void read_root(settings::section& root, configuration& into, settings::diagnostics& problems) {
  root.texts("env_files");
  read_agent(root, into.agent);
  read_record(root, into.record);
  read_nginx(root, into.nginx);
  read_slots(root, into.slots);
  read_deployment(root, into);
  read_probes(root, into);
  read_rules(root, into);
  read_notify(root, into.notify);
  read_targets(root, into.targets);
  cross_check(root, into, problems);
  root.finish();
}

/// A file with its variables filled in; nothing where it is no TOML.
std::optional<settings::node> read_document(const std::filesystem::path& file, const sources& from, std::vector<std::string>& notes,
                                            settings::diagnostics& into) {
  const auto text = contents(file, into);
  if (!text) return std::nullopt;
  settings::node document = parse_toml(*text, file.string(), into);
  if (!into.clean() && std::get<settings::table>(document.value).empty()) return std::nullopt;
  std::vector<env_file> files;
  name_env_files(document, from, files, into);
  files.insert(files.end(), from.env_files.begin(), from.env_files.end());
  variables known = read_env_files(files, from.process, into);
  notes.insert(notes.end(), known.notes.begin(), known.notes.end());
  for (auto& [key, member] : std::get<settings::table>(document.value)) {
    if (key != "env_files") interpolate(member.value.front(), key, known, into);
  }
  return document;
}

}  // namespace

configuration load(const std::filesystem::path& file, const sources& from, settings::diagnostics& into) {
  configuration made;
  made.file = file.string();
  if (file.empty()) {
    variables known = read_env_files(from.env_files, from.process, into);
    made.notes = known.notes;
    if (into.clean()) add_runbook_probes(known, made, into);
    return made;
  }
  const auto document = read_document(file, from, made.notes, into);
  if (!document) return made;
  settings::section root(*document, "", into);
  read_root(root, made, into);
  return made;
}

configuration load_for_replay(const std::filesystem::path& file, const sources& from, settings::diagnostics& into) {
  configuration made;
  made.file = file.string();
  const auto document = read_document(file, from, made.notes, into);
  if (!document) return made;
  settings::section root(*document, "", into);
  read_slots(root, made.slots);
  read_deployment(root, made);
  read_probes(root, made);
  const bool deploys = made.deployment.has_value();
  if (!deploys) made.deployment.emplace();
  read_rules(root, made);
  if (!deploys) made.deployment.reset();
  return made;
}

std::vector<rules::rule_source> load_rules(const std::filesystem::path& file, const sources& from, settings::diagnostics& into) {
  configuration made;
  made.deployment.emplace();  // rules may roll back: whether there is something to roll back is the record's to say
  if (const auto document = read_document(file, from, made.notes, into)) {
    settings::section root(*document, "", into);
    read_rules(root, made);
  }
  return made.rules;
}

}  // namespace flipback::config
