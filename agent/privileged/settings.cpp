#include "agent/privileged/settings.hpp"

#include "flipback/small_file.hpp"

#include "agent/config/read_nginx.hpp"
#include "agent/config/read_switch.hpp"
#include "agent/config/toml.hpp"
#include "agent/privileged/roots_own.hpp"
#include "agent/rollback/switches/links.hpp"

#include <fmt/format.h>

#include <pwd.h>

#include <vector>

namespace flipback::privileged {

namespace {

void read_whom(flipback::settings::section& root, settings& into) {
  const std::string name = root.required_text("user", "flipback");
  const passwd* const found = name.empty() ? nullptr : ::getpwnam(name.c_str());
  if (found != nullptr) {
    into.serves = found->pw_uid;
    into.served_group = found->pw_gid;
  }
  if (found == nullptr && !name.empty()) root.report("user", fmt::format("found {}, which is no user of this host", root.shown("user")));
}

/// Nothing is run here but nginx itself: a command of somebody's is no part of what root lends.
void refuse_commands(flipback::settings::section& root, const config::configuration& of) {
  const config::nginx& nginx = of.nginx;
  const bool other = nginx.reload != config::reload_kind::signal || !nginx.test_command.empty() || !nginx.pid_command.empty();
  if (other || !nginx.helper.empty())
    root.inner("nginx")->report_here("says how an agent reloads nginx; expected binary, conf, prefix, pid and command_timeout alone");
  if (of.deployment->switched_by == config::switch_kind::command || of.deployment->effect_is_intent)
    root.inner("deployment")->report_here("names no file or link that is switched; expected live_site, live_sites or live_link");
}

void read_root(flipback::settings::section& root, settings& into) {
  read_whom(root, into);
  config::read_nginx(root, into.of.nginx);
  for (auto& [name, from] : root.inners("slots")) {
    config::slot read;
    read.name = name;
    config::read_switched_by(read, from);
    from.finish();
    into.of.slots.push_back(std::move(read));
  }
  auto from = root.inner("deployment");
  if (!from || into.of.slots.size() != 2)
    return root.report_here("lacks [deployment] or has not two slots; expected the tables deployment, slots.blue and slots.green");
  config::read_switch(root, *from, into.of.slots, into.of.deployment.emplace());
  from->finish();
  refuse_commands(root, into.of);
  root.finish();
}

/// Everything that is run, read as nginx's configuration, or written.
std::vector<std::string> paths_in(const config::configuration& of) {
  std::vector<std::string> paths{of.nginx.binary, of.nginx.conf, of.nginx.pid};
  if (!of.nginx.prefix.empty()) paths.push_back(of.nginx.prefix);
  for (const config::live_file& f : of.deployment->live_files) {
    paths.push_back(f.live);
    paths.insert(paths.end(), f.of_slots.begin(), f.of_slots.end());
  }
  if (of.deployment->live_link.empty()) return paths;
  paths.push_back(of.deployment->live_link);
  for (const config::slot& s : of.slots) paths.push_back(rollback::seen_from(of.deployment->live_link, s.target));
  return paths;
}

}  // namespace

std::expected<settings, std::string> read_settings(const std::string& file) {
  if (std::string why = not_roots_own(file); !why.empty()) return std::unexpected(std::move(why));
  const auto text = read_small_file(file);
  if (!text) return std::unexpected(fmt::format("{} {}", file, text.error()));
  flipback::settings::diagnostics problems;
  settings read;
  const flipback::settings::node document = config::parse_toml(*text, file, problems);
  flipback::settings::section root(document, "", problems);
  if (problems.clean()) read_root(root, read);
  if (!problems.clean()) return std::unexpected(to_string(problems.sorted().front()));
  for (const std::string& path : paths_in(read.of)) {
    if (std::string why = not_roots_own(path); !why.empty()) return std::unexpected(std::move(why));
  }
  return read;
}

}  // namespace flipback::privileged
