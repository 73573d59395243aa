#include "agent/deployment/log_lacks.hpp"

#include "flipback/quoted.hpp"

#include "agent/deployment/rollback_rules.hpp"
#include "probes/access_log/tail.hpp"
#include "probes/access_log/terms.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>

namespace flipback::deployment {

namespace {

namespace al = access_log;

struct read_log {
  std::string probe;
  std::string path;
  bool is_socket = false;
  al::line_format format;
  bool acts = false;  ///< a rollback rule reads it
};

std::vector<read_log> logs_of_probes(const config::configuration& configured) {
  std::vector<read_log> found;
  const std::vector<rules::rule_source> acting = rollback_rules(configured);
  for (const config::probe_entry& probe : configured.probes) {
    if (probe.type != "access_log") continue;
    settings::diagnostics said_before;
    settings::section table(probe.table, "probes." + probe.name, said_before);
    al::terms terms = al::read_terms(table);
    for (std::string& path : terms.paths)
      found.push_back({probe.name, std::move(path), terms.is_socket, terms.format, any_reads(acting, probe.name)});
  }
  return found;
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

bool lacks_agents(const read_log& log, const std::vector<access_log_directive>& written) {
  const auto without = [](const access_log_directive& d) { return !d.format.contains("$http_user_agent"); };
  return !log.format.has(al::field::agent) || std::ranges::any_of(written, without);
}

struct newest_lines {
  std::size_t read = 0;
  std::size_t in_format = 0;
};

newest_lines newest_lines_of(const read_log& log) {
  constexpr std::uint64_t looked_at = 32 * 1024;  // bytes: some hundred lines
  newest_lines found;
  if (log.is_socket) return found;
  al::line_format format = log.format;
  al::line into;
  al::tail file(log.path);
  file.start_near_end(looked_at);
  (void)file.read([&](std::string_view text) {
    ++found.read;
    if (format.read(text, into) && into.number(al::field::status)) ++found.in_format;
  });
  return found;
}

/// A log that says nothing that a rule could be breached by is no quiet one.
std::optional<lack> unreadable(const read_log& log, const std::vector<access_log_directive>& written) {
  constexpr std::size_t enough = 20;
  const newest_lines newest = newest_lines_of(log);
  if (newest.read < enough || newest.in_format != 0) return std::nullopt;
  const std::string by_nginx = written.empty() ? "" : fmt::format(" (nginx writes {})", flipback::quoted(written.front().format));
  return lack{
      true,
      fmt::format("none of the newest {} lines of {} is in the format that probes.{} expects{}, so that no rule on it can be judged",
                  newest.read, log.path, log.probe, by_nginx),
      fmt::format("set [probes.{}] format to the text of nginx's log_format", log.probe)};
}

/// What nginx does not write there, or not in time.
std::optional<lack> lacks_lines(const read_log& log, const std::vector<access_log_directive>& written, bool nginx_is_known) {
  if (std::ranges::any_of(written, &access_log_directive::conditional))
    return lack{true, fmt::format("nginx logs only some requests to {} (access_log with if=): no base for rates", log.path),
                "take if= out, or give the rest a log of its own and name both in path"};
  if (std::ranges::any_of(written, &access_log_directive::buffered))
    return lack{false,
                fmt::format("nginx buffers {} (access_log with buffer= or gzip), so that its lines come too late to act on", log.path),
                "take buffer= out, or add flush=1s"};
  if (!nginx_is_known || !written.empty()) return std::nullopt;
  return lack{false, fmt::format("nginx's configuration logs nothing to {}, which probes.{} reads", log.path, log.probe),
              fmt::format("let nginx log there, or set [probes.{}] path to where it does", log.probe)};
}

/// What a log lacks that no rollback rule reads is no more than a note.
void add(log_findings& to, const read_log& log, lack what) {
  if (log.acts)
    to.lacking.push_back(std::move(what));
  else
    to.notes.push_back(text_of(what));
}

}  // namespace

log_findings log_lacks(const rollback::nginx_configuration* nginx, const config::configuration& configured, const std::string& prefix) {
  log_findings found;
  const std::vector<read_log> logs = logs_of_probes(configured);
  for (const read_log& log : logs) {
    const auto written = nginx != nullptr ? al::written_to(std::array{log.path}, nginx->access_logs) : std::vector<access_log_directive>{};
    if (lacks_agents(log, written))
      add(found, log,
          {true, fmt::format("{} has no user agent, so that our own requests can't be told from users'", log.path),
           "add $http_user_agent to its log_format, and reload nginx"});
    if (log.format.can_be_forged() || std::ranges::any_of(written, &access_log_directive::forgeable))
      add(found, log,
          {true, fmt::format("{} is written with escape=none, so that a client can write lines of its own into it", log.path),
           "take escape=none out of its log_format, or write escape=json, and reload nginx"});
    if (auto none_in_format = unreadable(log, written)) add(found, log, *std::move(none_in_format));
    if (auto partly = lacks_lines(log, written, nginx != nullptr)) add(found, log, *std::move(partly));
  }
  if (logs.empty()) return found;
  for (const auto& [slot, file] : site_files(configured)) {
    const rollback::nginx_configuration its = rollback::configuration_in(contents_of(file), prefix);
    if (its.logs_nothing)
      found.lacking.push_back({false, fmt::format("{} of slot {} has access_log off: its traffic would not be seen", file, slot),
                               fmt::format("let it log to {}", logs.front().path)});
    for (const access_log_directive& d : its.access_logs) {
      if (std::ranges::any_of(logs, [&](const read_log& log) { return al::is_same_log(log.path, d.path); })) continue;
      found.lacking.push_back(
          {false, fmt::format("{} of slot {} logs to {}, which no probe reads: its traffic would not be seen", file, slot, d.path),
           fmt::format("let all slots' files log to {0}, or name both in [probes.{1}] path", logs.front().path, logs.front().probe)});
    }
  }
  return found;
}

}  // namespace flipback::deployment
