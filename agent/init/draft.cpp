#include "agent/init/draft.hpp"

#include "agent/init/compose.hpp"
#include "agent/init/deployment.hpp"
#include "agent/init/probe_tables.hpp"
#include "agent/init/toml_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace flipback::init {

namespace {

constexpr std::string_view head =
    "A configuration of Flipback, written by flipback init from what this host shows. Read it, change what is wrong, then\n"
    "  flipback validate FILE           what is wrong with it, and whether a rollback could be carried out\n"
    "  flipback --check --config FILE   every probe once\n"
    "  flipback --config FILE           the agent. It watches and alerts; it changes nothing while mode is observe";

void add_env_files(const host& seen, draft& to) {
  if (seen.env_files.empty()) return;
  std::vector<std::string> quoted;
  for (const std::string& file : seen.env_files) quoted.push_back(in_toml(file));
  to.passages.push_back({"The application's variables: ${NAME} below is taken from there, so that no secret stands in this file.",
                         fmt::format("env_files = [{}]\n", fmt::join(quoted, ", ")), ""});
}

/// A variable often names a service as its containers know it, which this host does not.
void add_or_merge(probe_table found, std::vector<probe_table>& into) {
  const auto known = std::ranges::find(into, found.name, &probe_table::name);
  if (known == into.end()) {
    into.push_back(std::move(found));
    return;
  }
  if (known->host != found.host) return;
  known->address = std::move(found.address);
  known->says += fmt::format(" {} Its name there is known to containers alone.", found.says);
}

std::vector<probe_table> services_of(const host& seen, draft& to) {
  std::vector<probe_table> all = probes_of_variables(seen.variables, to.untold);
  for (const text_file& file : seen.compose_files) {
    const auto services = compose_services(file.text, seen.variables.set);
    if (!services) {
      to.untold.push_back(fmt::format("what runs by {}: it {}", file.path, services.error()));
      continue;
    }
    for (probe_table& table : probes_of_services(file.path, *services, to.untold)) add_or_merge(std::move(table), all);
  }
  for (probe_table& table : probes_of_ports(seen.listening, all)) all.push_back(std::move(table));
  return all;
}

}  // namespace

draft drafted(const host& seen) {
  draft made;
  made.untold = seen.untold;
  add_env_files(seen, made);
  if (seen.nginx)
    add_deployment(*seen.nginx, made);
  else
    add_deployment_by_hand("nginx's configuration can't be had here, so that no slot is known", made);
  for (const probe_table& table : services_of(seen, made)) made.passages.push_back(passage_of(table));
  made.passages.push_back(
      {"This host's disk: the runbook asks for 20% of it free.", "[probes.disk]\ntype = \"disk\"\npaths = [\"/\"]\n", ""});
  return made;
}

std::string text_of(const draft& from) {
  std::string text = as_comment(head);
  for (const passage& p : from.passages) {
    text += "\n" + as_comment(p.says);
    if (!p.why_off.empty())
      text +=
          as_comment(fmt::format("Not in force: {}.", p.why_off.ends_with('.') ? p.why_off.substr(0, p.why_off.size() - 1) : p.why_off));
    text += p.why_off.empty() ? p.toml : switched_off(p.toml);
  }
  return text;
}

}  // namespace flipback::init
