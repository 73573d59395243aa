#include "agent/deployment/ready.hpp"

#include "agent/deployment/log_lacks.hpp"
#include "agent/deployment/log_witness.hpp"
#include "agent/rollback/command_result.hpp"
#include "agent/rollback/container_mount.hpp"
#include "agent/rollback/switches/links.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

namespace flipback::deployment {

namespace {

constexpr const char* usual_prefix = "/usr/share/nginx";  // as Debian builds it

bool knows(const rollback::nginx_configuration& nginx, const config::slot& slot) {
  const std::array only{slot_upstreams{slot.name, slot.upstreams}};
  const nginx::slot_addresses its(only);
  const auto is_its = [&](const std::string& address) { return its.slot_of(address).has_value(); };
  const auto has_its = [&](const upstream_group& group) { return is_its(group.name) || std::ranges::any_of(group.servers, is_its); };
  return std::ranges::any_of(nginx.upstreams, has_its) || std::ranges::any_of(nginx.passes, is_its);
}

/// The slot that the switch names is in nginx's configuration, or its name there is not known to us. `names`: what the switch named from
/// before the configuration was read until after it.
void look_at_upstreams(const rollback::nginx_configuration& nginx, const intent& names, const config::configuration& configured,
                       readiness& into) {
  const std::vector<config::slot>& slots = configured.slots;
  const auto named = names.named();
  const bool by_variable = std::ranges::any_of(nginx.passes, [](const std::string& to) { return to.contains('$'); });
  if (!named || *named >= slots.size() || by_variable || knows(nginx, slots[*named])) return;
  const config::slot& slot = slots[*named];
  const auto passed_to = std::ranges::find_if(slots, [&](const config::slot& s) { return knows(nginx, s); });
  if (passed_to != slots.end() && configured.deployment && configured.deployment->switched_by == config::switch_kind::command) {
    into.lacking.push_back(
        {false,
         fmt::format("`active` prints {}, but nginx's configuration passes to the upstreams of {} alone", slot.name, passed_to->name),
         fmt::format("look at what slots.{}.switch did, and at what `active` prints", passed_to->name)});
    return;
  }
  into.lacking.push_back({false,
                          fmt::format("the switch names {}, but nginx's configuration passes nothing to its upstreams ({})", slot.name,
                                      fmt::join(slot.upstreams, ", ")),
                          fmt::format("set [slots.{}] upstreams to what stands in its nginx file", slot.name)});
}

/// A group of nginx's that sends some of a slot's users elsewhere: by weight, or to a `backup` while the slot's servers are down. Rules and
/// proofs see where they came, but a person should know.
void note_mixed_groups(const rollback::nginx_configuration& nginx, const config::configuration& configured,
                       std::vector<std::string>& notes) {
  const std::vector<slot_upstreams> slots = config::upstreams_of(configured);
  const nginx::slot_addresses known(slots);
  for (const upstream_group& group : nginx.upstreams) {
    std::set<std::size_t> of_slots;
    std::vector<std::string> of_none;
    for (const std::string& server : group.servers) {
      if (const auto slot = known.slot_of(server))
        of_slots.insert(*slot);
      else
        of_none.push_back(server);
    }
    if (of_slots.empty() || of_slots.size() + of_none.size() == 1) continue;
    std::vector<std::string> names;
    for (const std::size_t slot : of_slots) names.push_back(slots[slot].slot);
    if (of_none.empty() && names.size() > 1)
      notes.push_back(fmt::format("nginx's upstream {} has servers of {}: rules that roll back count what the live slot gave alone",
                                  group.name, fmt::join(names, " and ")));
    if (!of_none.empty())
      notes.push_back(
          fmt::format("nginx's upstream {} has {} beside the servers of {}: who is sent there is at no slot, and no rule counts it",
                      group.name, fmt::join(of_none, ", "), fmt::join(names, " and ")));
  }
}

/// The pid file says whom a reload's signal goes to and whose workers are a proof: of another nginx on this host it would be both.
void look_at_pid(const rollback::nginx_configuration& nginx, const config::nginx& settings, readiness& into) {
  const bool asked_elsewhere = settings.reload == config::reload_kind::docker || !settings.pid_command.empty() ||
                               !settings.test_command.empty();  // then its paths are not ours
  if (nginx.pid.empty() || asked_elsewhere) return;
  std::error_code unseen;
  if (std::filesystem::weakly_canonical(nginx.pid, unseen) == std::filesystem::weakly_canonical(settings.pid, unseen)) return;
  into.lacking.push_back(
      {true, fmt::format("{} says pid {}, and [nginx] pid is {}: another nginx would be reloaded", settings.conf, nginx.pid, settings.pid),
       fmt::format("set [nginx] pid = \"{}\"", nginx.pid), true});
}

/// What is replaced where this live file is switched: a link to a slot's file itself, else what stands behind it.
std::string replaced_of(const config::live_file& f) {
  const auto real = rollback::leads_to(f.live);
  const bool by_link = std::ranges::any_of(f.of_slots, [&](const std::string& site) { return real && rollback::leads_to(site) == real; });
  return real && !by_link ? *real : f.live;
}

/// nginx may see the files that are switched otherwise than we do.
void look_at_mounts(rollback::nginx& nginx, const config::configuration& configured, readiness& into) {
  if (!configured.deployment) return;
  const config::deployment& how = *configured.deployment;
  std::vector<std::string> paths;
  for (const config::live_file& f : how.live_files) paths.push_back(replaced_of(f));
  if (!how.live_link.empty()) paths.push_back(how.live_link);
  for (const std::string& path : paths) {
    std::string obstacle = rollback::obstacle_by_mount(nginx.mounted_alone(path), path, how.in_place);
    if (!obstacle.empty()) into.lacking.push_back({true, std::move(obstacle), {}, true});
  }
}

std::vector<lack> blocking_first(const std::vector<lack>& all) {
  std::vector<lack> sorted;
  for (const bool blocking : {true, false})
    std::ranges::copy_if(all, std::back_inserter(sorted), [&](const lack& l) { return l.blocking == blocking; });
  return sorted;
}

}  // namespace

bool readiness::is_ready() const {
  return std::ranges::none_of(lacking, &lack::blocking);
}

asio::awaitable<readiness> look_ready(rollback::slot_switch& how, rollback::nginx& nginx, const config::configuration& configured,
                                      answers_at_once answered) {
  readiness found;
  co_await how.refresh();
  found.notes = how.notes();
  if (const intent names = how.names(); names.is == intent::kind::neither)
    found.notes.push_back(fmt::format("the switch names no slot, so that a breach asks instead of acting: {}{}", names.says,
                                      names.nearest.empty() ? "" : "; " + names.nearest));
  for (std::string& obstacle : how.obstacles()) found.lacking.push_back({true, std::move(obstacle), {}, true});
  for (std::string& obstacle : co_await how.obstacles_elsewhere()) found.lacking.push_back({true, std::move(obstacle), {}, true});
  if (how.needs_reload()) {
    for (std::string& obstacle : co_await nginx.obstacles()) {
      const bool may_be_mended = rollback::is_a_refusal(obstacle);  // by the very file that a switch replaces
      found.lacking.push_back({true, std::move(obstacle), {}, !may_be_mended});
    }
  }
  look_at_mounts(nginx, configured, found);
  const std::string prefix = configured.nginx.prefix.empty() ? usual_prefix : configured.nginx.prefix;
  const intent before = how.names();
  const auto dump = co_await nginx.configuration();
  co_await how.refresh();
  const intent names = how.names();
  if (dump)
    found.nginx = rollback::configuration_in(*dump, prefix);
  else
    found.notes.emplace_back("nginx -T can't be had here, so that nginx's logs and upstreams are known from the configuration file alone");
  const rollback::nginx_configuration* const known = found.nginx ? &*found.nginx : nullptr;
  log_findings logs = log_lacks(known, configured, prefix);
  std::ranges::move(logs.lacking, std::back_inserter(found.lacking));
  std::ranges::move(logs.notes, std::back_inserter(found.notes));
  if (known != nullptr) note_mixed_groups(*known, configured, found.notes);
  if (known != nullptr && how.needs_reload()) look_at_pid(*known, configured.nginx, found);
  if (configured.deployment) {
    if (auto shows_none = door_lack(answered, configured, !witness_logs(known, configured).empty()))
      found.lacking.push_back(*std::move(shows_none));
  }
  // Of a switch in between, the configuration read may be the old slot's: the look that follows every cutover tells.
  if (known != nullptr && names.named() == before.named()) look_at_upstreams(*known, names, configured, found);
  if (known != nullptr && known->splits_clients && configured.deployment && configured.deployment->canary.empty())
    found.lacking.push_back(
        {false, "nginx's configuration has split_clients, which may send users to another slot", "set [deployment] canary where it does"});
  found.lacking = blocking_first(found.lacking);
  co_return found;
}

}  // namespace flipback::deployment
