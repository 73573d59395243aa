#include "agent/store/state_lock.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>
#include <utility>

namespace flipback {

namespace {

// An agent that was killed while it started a program has its lock until that program runs in its own right.
constexpr auto patience = std::chrono::seconds(1);

}  // namespace

std::expected<state_lock, state_lock::refusal> state_lock::take(const std::string& file) {
  std::error_code unmade;
  std::filesystem::create_directories(std::filesystem::path(file).parent_path(), unmade);
  const std::string path = file + ".lock";
  int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
  // A lock needs no write: another agent is found out on a disk that has become read-only, too.
  if (fd < 0 && errno == EROFS) {
    fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT) errno = EROFS;  // why there is none
  }
  if (fd < 0) return std::unexpected(refusal{false, fmt::format("can't keep the state in {}: {}: {}", file, path, std::strerror(errno))});
  int why = 0;
  const auto patience_ends = std::chrono::steady_clock::now() + patience;
  while ((why = ::flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : errno) == EWOULDBLOCK && std::chrono::steady_clock::now() < patience_ends)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  if (why == 0) return state_lock(fd);
  ::close(fd);
  if (why == EWOULDBLOCK) return std::unexpected(refusal{true, fmt::format("another agent is running with the state in {}", file)});
  return std::unexpected(refusal{false, fmt::format("can't lock {}: {}", path, std::strerror(why))});
}

state_lock::state_lock(state_lock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

state_lock::~state_lock() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace flipback
