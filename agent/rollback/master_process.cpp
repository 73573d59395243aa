#include "agent/rollback/master_process.hpp"

#include "flipback/quoted.hpp"

#include "agent/process/lasting.hpp"

#include <climits>
#include <fmt/format.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

namespace flipback::rollback {

namespace {

/// What the file holds; empty where it can't be read. A process that ends while its file in /proc is read makes the read fail: a stream's
/// buffer, asked directly, would throw then.
std::string contents_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream all;
  all << in.rdbuf();
  return std::move(all).str();
}

std::string link_of(const std::string& path) {
  std::array<char, PATH_MAX> target{};
  const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
  return size < 0 ? std::string() : std::string(target.data(), static_cast<std::size_t>(size));
}

/// nginx writes its role where its arguments were: "nginx: worker process is shutting down".
std::string title_of(pid_t pid) {
  const std::string arguments = contents_of(fmt::format("/proc/{}/cmdline", pid));
  return arguments.substr(0, arguments.find('\0'));
}

bool is_same_file(const std::string& one, const std::string& other) {
  struct stat a{};
  struct stat b{};
  return ::stat(one.c_str(), &a) == 0 && ::stat(other.c_str(), &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

std::string real_path(const std::string& path) {
  std::error_code none;
  const auto real = std::filesystem::canonical(path, none);
  return none ? path : real.string();
}

bool runs(pid_t pid, const std::string& path_in_proc, const std::string& shown, const std::string& binary, bool elsewhere) {
  if (is_same_file(path_in_proc, binary)) return true;
  // An upgrade replaces the file under the running master.
  if (shown == real_path(binary) + " (deleted)") return true;
  const bool other_root = link_of(fmt::format("/proc/{}/ns/mnt", pid)) != link_of("/proc/self/ns/mnt");
  return other_root && (shown == binary || shown == real_path(binary)) && (elsewhere || ::access(binary.c_str(), F_OK) != 0);
}

/// The value of a line "Name:\tvalue" in /proc/PID/status.
std::string status_value(const std::string& status, std::string_view name) {
  std::size_t at = status.starts_with(name) ? 0 : status.find(fmt::format("\n{}:", name));
  if (at == std::string::npos) return {};
  at = status.find(':', at) + 1;
  return status.substr(at, status.find('\n', at) - at);
}

/// Whether a set of signals, as /proc writes it, has SIGHUP in it; nothing where it is no such set.
std::optional<bool> has_hup(std::string_view set) {
  set.remove_prefix(std::min(set.find_first_not_of(" \t"), set.size()));
  std::uint64_t bits = 0;
  const auto [end, error] = std::from_chars(set.data(), set.data() + set.size(), bits, 16);
  if (set.empty() || error != std::errc{} || end != set.data() + set.size()) return std::nullopt;
  return (bits & (std::uint64_t{1} << (SIGHUP - 1U))) != 0;
}

std::chrono::nanoseconds now_on(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

}  // namespace

std::expected<void, std::string> is_master(pid_t pid, const std::string& binary, bool elsewhere) {
  const std::string path_in_proc = fmt::format("/proc/{}/exe", pid);
  const std::string title = title_of(pid);
  if (title.empty() || !role_in(title).starts_with("master process"))
    return std::unexpected(title.empty() ? fmt::format("there is no process {}", pid)
                                         : fmt::format("process {} is {}, no master of nginx", pid, flipback::quoted(title, {}, 60)));
  const std::string shown = link_of(path_in_proc);
  if (shown.empty()) {
    if (title.starts_with("nginx: master process")) return {};
    return std::unexpected(fmt::format("process {} is {}, no master of nginx", pid, flipback::quoted(title, {}, 60)));
  }
  if (runs(pid, path_in_proc, shown, binary, elsewhere)) return {};
  return std::unexpected(fmt::format("process {} calls itself {}, but runs {} where {} was expected", pid, flipback::quoted(title, {}, 60),
                                     flipback::quoted(shown), binary));
}

std::optional<std::set<pid_t>> children_of(pid_t master) {
  std::ifstream children(fmt::format("/proc/{0}/task/{0}/children", master));
  if (!children) return std::nullopt;
  std::set<pid_t> found;
  for (pid_t pid = 0; children >> pid;) found.insert(pid);
  return found;
}

std::string_view role_in(std::string_view title) {
  const std::size_t colon = title.find(": ");
  return colon == std::string_view::npos ? std::string_view() : title.substr(colon + 2);
}

void add_worker(workers& into, pid_t pid, std::string_view title) {
  const std::string_view role = role_in(title);
  if (role.starts_with("worker process is shutting down"))
    into.leaving.insert(pid);
  else if (role.starts_with("worker process"))
    into.accepting.insert(pid);
}

std::optional<workers> workers_of(pid_t master) {
  const auto children = children_of(master);
  if (!children) return std::nullopt;
  workers seen;
  for (const pid_t pid : *children) add_worker(seen, pid, title_of(pid));
  return seen;
}

std::optional<wall_time> started_at(pid_t pid) {
  const auto ticks = process::start_ticks(pid);
  if (!ticks) return std::nullopt;
  // Both clocks are read now: /proc/stat gives the time of the boot in whole seconds only.
  const std::chrono::nanoseconds booted = now_on(CLOCK_REALTIME) - now_on(CLOCK_BOOTTIME);
  const std::chrono::nanoseconds after = std::chrono::seconds(1) * static_cast<std::int64_t>(*ticks) / ::sysconf(_SC_CLK_TCK);
  return wall_time(booted + after);
}

// A master waits in sigsuspend, asleep and with no signal blocked. Whatever it does, it does with HUP blocked (ngx_master_process_cycle).
// Who sends a signal makes it pending and the master runnable in one step; while the kernel delivers it, it is neither pending nor blocked,
// but the master does not sleep.
std::optional<bool> at_rest(pid_t master) {
  const std::string status = contents_of(fmt::format("/proc/{}/status", master));
  const std::string state = status_value(status, "State");
  const auto blocked = has_hup(status_value(status, "SigBlk"));
  const auto pending = has_hup(status_value(status, "ShdPnd"));
  if (!blocked || !pending || state.empty()) return std::nullopt;
  return state.starts_with("\tS") && !*blocked && !*pending;
}

pid_t pid_of_its_own(pid_t pid) {
  std::istringstream numbers(status_value(contents_of(fmt::format("/proc/{}/status", pid)), "NSpid"));
  pid_t innermost = pid;
  while (numbers >> innermost) {
  }
  return innermost > 0 ? innermost : pid;
}

}  // namespace flipback::rollback
