#include "flipback/as_typed.hpp"

#include "agent/rollback/nginx.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <iterator>

namespace flipback::rollback {

std::string why_not_to_test(const config::nginx& settings) {
  if (!settings.test_command.empty() || ::access(settings.pid.c_str(), F_OK) == 0) return {};
  return fmt::format(
      "nginx -t is not run while there is no {}, since it would make an empty one: start nginx, or set [nginx] pid to the "
      "path that its configuration gives",
      settings.pid);
}

std::vector<std::string> nginx_command(const config::nginx& settings, const std::vector<std::string>& action) {
  if (!settings.test_command.empty()) {
    std::vector<std::string> argv;
    for (const std::string& word : settings.test_command) {
      const std::vector<std::string> itself{word};
      std::ranges::copy(word == "-t" ? action : itself, std::back_inserter(argv));
    }
    return argv;
  }
  std::vector<std::string> argv{settings.binary};
  std::ranges::copy(action, std::back_inserter(argv));
  if (!settings.prefix.empty()) argv.insert(argv.end(), {"-p", settings.prefix});
  argv.insert(argv.end(), {"-c", settings.conf});
  return argv;
}

std::string reload_as_typed(const config::nginx& settings) {
  if (settings.reload == config::reload_kind::docker) {
    const std::string there = "docker exec " + as_typed(std::vector<std::string>{settings.container});
    return fmt::format("{0} {1} && {0} {2}", there, as_typed(nginx_command(settings, {"-t"})),
                       as_typed(nginx_command(settings, {"-s", "reload"})));
  }
  const auto reload = [&] {
    if (settings.reload == config::reload_kind::command) return as_typed(settings.reload_command);
    if (settings.reload == config::reload_kind::systemd) return as_typed(std::vector<std::string>{"systemctl", "reload", settings.unit});
    if (!settings.pid_command.empty()) return fmt::format("kill -HUP \"$({})\"", as_typed(settings.pid_command));
    return fmt::format("kill -HUP \"$(cat {})\"", as_typed(std::vector<std::string>{settings.pid}));
  };
  return fmt::format("{} && {}", as_typed(nginx_command(settings, {"-t"})), reload());
}

}  // namespace flipback::rollback
