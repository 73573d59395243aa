#include "agent/process/lasting.hpp"

#include "agent/process/child.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <sstream>
#include <utility>

namespace flipback::process {

namespace asio = boost::asio;

namespace {

void write_note(const std::string& path, pid_t pid) {
  const auto ticks = start_ticks(pid);
  std::ofstream(path, std::ios::trunc) << fmt::format("{} {} {}\n", pid, ticks.value_or(0), boot_id());
}

bool has_ended_already(int pidfd) {
  pollfd end{.fd = pidfd, .events = POLLIN, .revents = 0};
  return ::poll(&end, 1, 0) != 0;
}

}  // namespace

std::string boot_id() {
  std::ifstream in("/proc/sys/kernel/random/boot_id");
  std::string id;
  in >> id;
  return id;
}

std::optional<std::uint64_t> start_ticks(pid_t pid) {
  constexpr int start_time = 19;  // proc(5): field 22, counted from the one after the name
  std::ifstream in(fmt::format("/proc/{}/stat", pid));
  const std::string all{std::istreambuf_iterator<char>(in), {}};
  const std::size_t name_ends = all.rfind(')');
  if (name_ends == std::string::npos) return std::nullopt;
  std::istringstream fields(all.substr(name_ends + 1));
  std::string skipped;
  for (int i = 0; i < start_time; ++i) fields >> skipped;
  std::uint64_t ticks = 0;
  return fields >> ticks ? std::optional(ticks) : std::nullopt;
}

std::expected<std::unique_ptr<lasting>, std::string> lasting::start(const asio::any_io_executor& executor,
                                                                    const std::vector<std::string>& argv, std::string note,
                                                                    std::size_t most_output) {
  descriptor memory(::memfd_create("flipback-command", MFD_CLOEXEC));
  // Appended to, so that it can be cut short while the program writes.
  if (!memory.is_open() || ::fcntl(memory.get(), F_SETFL, O_APPEND) != 0)
    return std::unexpected(fmt::format("can't make memory for what it writes: {}", std::strerror(errno)));
  auto begun = running::start(executor, argv, memory.get());
  if (!begun) return std::unexpected(std::move(begun.error()));
  write_note(note, (*begun)->pid());
  return std::unique_ptr<lasting>(new lasting(*std::move(begun), std::move(memory), std::move(note), most_output));
}

std::unique_ptr<lasting> lasting::left_behind(const asio::any_io_executor& executor, std::string note) {
  std::ifstream in(note);
  pid_t pid = 0;
  std::uint64_t ticks = 0;
  std::string boot;
  if (!(in >> pid >> ticks >> boot) || pid <= 0) return nullptr;
  descriptor end(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  // Asked after the descriptor is there: then both mean the same process.
  if (end.is_open() && boot == boot_id() && start_ticks(pid) == ticks && !has_ended_already(end.get())) {
    child found;
    found.pid = pid;
    found.end = end.release();
    return std::unique_ptr<lasting>(new lasting(running::watch(executor, found), descriptor(), std::move(note), 0));
  }
  ::unlink(note.c_str());
  return nullptr;
}

lasting::lasting(std::unique_ptr<running> program, descriptor memory, std::string note, std::size_t most_output)
    : program_(std::move(program)), memory_(std::move(memory)), note_(std::move(note)), most_output_(most_output) {}

lasting::~lasting() {
  if (program_->has_ended()) ::unlink(note_.c_str());
}

bool lasting::has_ended() const {
  struct stat written{};
  // Nobody keeps all that a program writes without end.
  if (memory_.is_open() && ::fstat(memory_.get(), &written) == 0 && std::cmp_greater(written.st_size, most_output_))
    (void)::ftruncate(memory_.get(), static_cast<off_t>(most_output_));
  return program_->has_ended();
}

duration lasting::age() const {
  const auto ticks = start_ticks(pid());
  if (!ticks) return {};
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  const duration since_boot = std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
  return std::max(since_boot - std::chrono::duration_cast<duration>(std::chrono::seconds(*ticks)) / ::sysconf(_SC_CLK_TCK), duration{});
}

finished lasting::so_far() const {
  finished found = program_->so_far();
  if (!memory_.is_open()) return found;
  found.output.resize(most_output_);
  const ssize_t size = ::pread(memory_.get(), found.output.data(), found.output.size(), 0);
  found.output.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  return found;
}

}  // namespace flipback::process
