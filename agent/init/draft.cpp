#include "agent/init/draft.hpp"

#include "flipback/quoted.hpp"

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
  to.reads.insert(to.reads.end(), seen.env_files.begin(), seen.env_files.end());
  to.passages.push_back({"The application's variables: ${NAME} below is taken from there, so that no secret stands in this file.",
                         fmt::format("env_files = [{}]\n", fmt::join(quoted, ", ")), ""});
}

/// A variable often names a service as its containers know it, which this host does not; a second file often has more of a service.
void add_or_merge(probe_table found, std::vector<probe_table>& into) {
  const auto with_name = [&](const std::string& name) { return std::ranges::find(into, name, &probe_table::name); };
  auto known = with_name(found.name);
  if (known != into.end() && !known->is_of_variables && known->host != found.host) {
    found.name = name_beside(found);
    known = with_name(found.name);
  }
  if (known == into.end()) return into.push_back(std::move(found));
  if (known->host != found.host || found.host.empty()) return;  // what the application uses is another one
  known->address = std::move(found.address);
  known->says =
      known->is_of_variables ? fmt::format("{} {} Only containers know it by its name.", known->says, found.says) : std::move(found.says);
}

struct composed {
  std::string file;
  std::vector<compose_service> services;
};

std::vector<composed> composed_on(const host& seen, std::vector<std::string>& untold) {
  std::vector<composed> all;
  for (const text_file& file : seen.compose_files) {
    auto services = compose_services(file.text, seen.variables.set);
    if (services)
      all.push_back({file.path, *std::move(services)});
    else
      untold.push_back(fmt::format("what runs by {}: it {}", file.path, services.error()));
  }
  return all;
}

std::string why_no_nginx(const std::vector<composed>& all) {
  for (const composed& in : all) {
    for (const compose_service& service : in.services) {
      if (name_of_image(service.image) != "nginx") continue;
      return fmt::format(
          "nginx is the service {} in {}, and what a container has can't be seen from here. Where its files are mounted from this host, "
          "write them here, and [nginx] with reload = \"command\", reload_command, test_command and pid_command",
          flipback::quoted(service.name), in.file);
    }
  }
  return "nginx's configuration can't be had here, so that no slot is known";
}

std::vector<probe_table> probes_on(const host& seen, const std::vector<composed>& all, std::vector<std::string>& untold) {
  std::vector<probe_table> made = probes_of_variables(seen.variables, untold);
  for (const composed& in : all) {
    for (probe_table& table : probes_of_services(in.file, in.services, untold)) add_or_merge(std::move(table), made);
  }
  for (probe_table& table : probes_of_ports(seen.listening, made)) made.push_back(std::move(table));
  return made;
}

}  // namespace

draft drafted(const host& seen) {
  draft made;
  made.untold = seen.untold;
  add_env_files(seen, made);
  const std::vector<composed> all = composed_on(seen, made.untold);
  if (seen.nginx)
    add_deployment(*seen.nginx, made);
  else
    add_deployment_by_hand(why_no_nginx(all), made);
  for (const probe_table& table : probes_on(seen, all, made.untold)) made.passages.push_back(passage_of(table));
  made.passages.push_back(
      {"This host's disk: the runbook asks for 20% of it free.", "[probes.disk]\ntype = \"disk\"\npaths = [\"/\"]\n", ""});
  return made;
}

std::string text_of(const draft& from) {
  std::string text = as_comment(head);
  for (const passage& p : from.passages) {
    text += "\n" + as_comment(p.says);
    if (!p.why_off.empty()) text += as_comment("Not in force: " + p.why_off + (p.why_off.ends_with('.') ? "" : "."));
    text += p.why_off.empty() ? p.toml : switched_off(p.toml);
  }
  return text;
}

}  // namespace flipback::init
