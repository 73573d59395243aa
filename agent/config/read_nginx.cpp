#include "agent/config/read_nginx.hpp"

#include "flipback/read_command.hpp"

#include "probes/net/url.hpp"

#include <fmt/format.h>

namespace flipback::config {

namespace {

constexpr std::string_view a_reload = R"(["systemctl", "reload", "nginx"])";
constexpr std::string_view a_test = R"(["docker", "exec", "nginx", "nginx", "-t"])";
constexpr std::string_view a_pid = R"(["docker", "inspect", "-f", "{{.State.Pid}}", "nginx"])";
constexpr std::string_view in_names = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

/// Nothing where it was reported.
std::optional<reload_kind> read_reload(settings::section& from) {
  const settings::node* found = from.raw("reload");
  const auto* word = found == nullptr ? nullptr : std::get_if<std::string>(&found->value);
  const reload_kind read =
      from.one_of("reload", reload_kind::signal, {reload_kind::signal, reload_kind::systemd, reload_kind::command, reload_kind::docker});
  const bool good = found == nullptr || (word != nullptr && *word == name_of(read));
  return good ? std::optional(read) : std::nullopt;
}

/// What belongs to one way to reload alone.
void read_of_reload(settings::section& from, std::optional<reload_kind> how, nginx& into) {
  into.reload = how.value_or(reload_kind::signal);
  into.reload_command = read_command(from, "reload_command", a_reload);
  const bool given = from.has("reload_command");
  if (how == reload_kind::command && !given)
    from.report("reload_command", fmt::format(R"(is missing, expected with reload = "command" an array such as {})", a_reload));
  if (how && how != reload_kind::command && !into.reload_command.empty())
    from.report("reload_command", R"(is only used with reload = "command"; expected that, or no reload_command)");
  if (!from.has("unit")) return;
  into.unit = from.required_text("unit", into.unit);
  if (into.unit.starts_with('-'))
    from.report("unit", fmt::format("found {}, expected the name of a unit such as \"nginx.service\"", from.shown("unit")));
  if (how && how != reload_kind::systemd) from.report("unit", R"(is only used with reload = "systemd"; expected that, or no unit)");
}

/// What belongs to an nginx in a container that its Engine is asked for.
void read_of_docker(settings::section& from, std::optional<reload_kind> how, nginx& into) {
  constexpr std::string_view example = R"("shop_nginx_1", as `docker ps` names it)";
  for (const std::string_view key : {"container", "docker"}) {
    if (from.has(key) && how && how != reload_kind::docker)
      from.report(key, fmt::format(R"(is only used with reload = "docker"; expected that, or no {})", key));
  }
  if (from.has("container")) into.container = from.required_text("container", "shop_nginx_1");
  if (into.container.find_first_not_of(in_names) != std::string::npos || into.container.starts_with('.') || into.container.starts_with('-'))
    from.report("container", fmt::format("found {}, expected a container's name such as {}", from.shown("container"), example));
  if (from.has("docker")) into.docker = from.required_text("docker", into.docker);
  if (!into.docker.starts_with('/') && !net::parse_endpoint(into.docker))
    from.report("docker",
                fmt::format(R"(found {}, expected the path of the Engine's socket such as "/var/run/docker.sock", or "host:port")",
                            from.shown("docker")));
  if (how != reload_kind::docker) return;
  if (!from.has("container")) from.report("container", fmt::format(R"(is missing, expected with reload = "docker" such as {})", example));
  for (const std::string_view key : {"pid", "pid_command", "test_command", "error_log"}) {
    if (from.has(key))
      from.report(key, fmt::format(R"(is not used with reload = "docker", where the Engine is asked instead; expected no {})", key));
  }
}

/// It is asked to test and to reload in the place of what else is configured to.
void read_helper(settings::section& from, nginx& into) {
  constexpr std::string_view usual = "/run/flipback-helper/helper.sock";
  if (!from.has("helper")) return;
  into.helper = from.required_text("helper", usual);
  if (!into.helper.empty() && !into.helper.starts_with('/'))
    from.report("helper", fmt::format("found {}, expected the whole path of a socket such as \"{}\"", from.shown("helper"), usual));
  for (const std::string_view key : {"reload", "test_command"}) {
    const bool of_its_own = key == "reload" ? into.reload != reload_kind::signal : from.has(key);
    if (of_its_own) from.report(key, "helper is given too, which tests nginx and signals it; keep one of the two");
  }
}

}  // namespace

void read_nginx(settings::section& root, nginx& into) {
  auto from = root.inner("nginx");
  if (!from) return;
  const auto path = [&](std::string_view key, std::string& read) {
    if (from->has(key)) read = from->required_text(key, read);
  };
  path("binary", into.binary);
  path("conf", into.conf);
  into.prefix = from->text("prefix", into.prefix);
  path("pid", into.pid);
  into.error_log = from->text("error_log", into.error_log);
  const std::optional<reload_kind> how = read_reload(*from);
  read_of_reload(*from, how, into);
  into.test_command = read_command(*from, "test_command", a_test);
  into.pid_command = read_command(*from, "pid_command", a_pid);
  if (from->has("pid_command") && from->has("pid")) from->report("pid", "pid_command is given too; keep one of the two");
  read_of_docker(*from, how, into);
  read_helper(*from, into);
  into.command_timeout = from->span("command_timeout", into.command_timeout, std::chrono::milliseconds(100), std::chrono::minutes(10));
  from->finish();
}

}  // namespace flipback::config
