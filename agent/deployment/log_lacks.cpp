#include "agent/deployment/log_lacks.hpp"

#include "probes/access_log/terms.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

namespace flipback::deployment {

namespace {

namespace al = access_log;

struct read_log {
  std::string path;
  bool has_agents = false;
};

std::vector<read_log> logs_of_probes(const config::configuration& configured) {
  std::vector<read_log> found;
  for (const config::probe_entry& probe : configured.probes) {
    if (probe.type != "access_log") continue;
    settings::diagnostics said_before;
    settings::section table(probe.table, "probes." + probe.name, said_before);
    const al::terms terms = al::read_terms(table);
    found.push_back({terms.path, terms.format.has(al::field::agent)});
  }
  return found;
}

bool is_same(const std::string& one, const std::string& other) {
  std::error_code unknown;
  return one == other || std::filesystem::equivalent(one, other, unknown);
}

/// Of a regular file of at most 1 MiB; else empty.
std::string contents_of(const std::string& path) {
  constexpr off_t most = 1024 * 1024;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return {};
  struct stat is{};
  std::string text;
  if (::fstat(fd, &is) == 0 && S_ISREG(is.st_mode) && is.st_size <= most) {
    text.resize(static_cast<std::size_t>(is.st_size));
    const ssize_t size = ::read(fd, text.data(), text.size());
    text.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  }
  ::close(fd);
  return text;
}

/// The slots' own nginx files, with the slot's name.
std::vector<std::pair<std::string, std::string>> site_files(const config::configuration& configured) {
  std::vector<std::pair<std::string, std::string>> found;
  if (!configured.deployment || configured.deployment->switched_by != config::switch_kind::site) return found;
  for (const config::live_file& live : configured.deployment->live_files) {
    for (std::size_t i = 0; i < live.of_slots.size() && i < configured.slots.size(); ++i)
      found.emplace_back(configured.slots[i].name, live.of_slots[i]);
  }
  return found;
}

}  // namespace

std::vector<lack> log_lacks(const rollback::nginx_configuration* nginx, const config::configuration& configured,
                            const std::string& prefix) {
  std::vector<lack> found;
  const std::vector<read_log> logs = logs_of_probes(configured);
  for (const read_log& log : logs) {
    bool lacks_agents = !log.has_agents;
    if (nginx != nullptr)
      for (const access_log_directive& d : nginx->access_logs)
        lacks_agents = lacks_agents || (is_same(d.path, log.path) && !d.format.contains("$http_user_agent"));
    if (lacks_agents)
      found.push_back({true, fmt::format("{} has no user agent, so that our own requests can't be told from users'", log.path),
                       "add $http_user_agent to its log_format, and reload nginx"});
  }
  if (logs.empty()) return found;
  for (const auto& [slot, file] : site_files(configured)) {
    for (const access_log_directive& d : rollback::configuration_in(contents_of(file), prefix).access_logs) {
      if (std::ranges::any_of(logs, [&](const read_log& log) { return is_same(log.path, d.path); })) continue;
      found.push_back({false,
                       fmt::format("{} of slot {} logs to {}, which no probe reads: its traffic would not be seen", file, slot, d.path),
                       fmt::format("let all slots' files log to {}, or add a probe of type \"access_log\" for it", logs.front().path)});
    }
  }
  return found;
}

}  // namespace flipback::deployment
