#include "probes/access_log/syslog_socket.hpp"

#include "probes/access_log/syslog_message.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <grp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <utility>

namespace flipback::access_log {

namespace {

constexpr int receive_buffer = 4 * 1024 * 1024;
constexpr std::size_t most_waiting = 8 * 1024 * 1024;  // bytes that nobody has taken; more are spoilt

/// Every socket of this process by its path: a probe may find its predecessor's.
std::map<std::string, std::weak_ptr<syslog_socket>>& sockets() {
  static std::map<std::string, std::weak_ptr<syslog_socket>> all;
  return all;
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un made{};
  made.sun_family = AF_UNIX;
  std::memcpy(made.sun_path, path.data(), std::min(path.size(), sizeof made.sun_path - 1));
  return made;
}

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);  // NOLINT(cppcoreguidelines-pro-type-reinterpret-cast): the C interface
}

int new_socket() {
  return ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

std::unexpected<std::string> not_bound(int fd, const std::string& beside) {
  const int error = errno;
  if (fd >= 0) ::close(fd);
  ::unlink(beside.c_str());
  return std::unexpected(fmt::format("can't be bound: {}", std::strerror(error)));
}

}  // namespace

std::shared_ptr<syslog_socket> syslog_socket::bound_at(const std::string& path) {
  const auto found = sockets().find(path);
  return found == sockets().end() ? nullptr : found->second.lock();
}

bool syslog_socket::is_served(const std::string& path) {
  const int fd = new_socket();
  const sockaddr_un address = address_of(path);
  const bool served = fd >= 0 && ::connect(fd, generic(address), sizeof address) == 0;  // sends nothing
  if (fd >= 0) ::close(fd);
  return served;
}

std::expected<std::shared_ptr<syslog_socket>, std::string> syslog_socket::bind(const asio::any_io_executor& executor,
                                                                               const std::string& path) {
  struct stat found{};
  if (::lstat(path.c_str(), &found) == 0) {
    if (!S_ISSOCK(found.st_mode)) return std::unexpected("is no socket, and is left alone");
    if (is_served(path)) return std::unexpected("is served by another program");
  }
  const std::string beside = path + ".new";
  const sockaddr_un address = address_of(beside);
  if (::lstat(beside.c_str(), &found) == 0 && !S_ISSOCK(found.st_mode))
    return std::unexpected(fmt::format("can't be bound: {} is in the way", beside));
  ::unlink(beside.c_str());
  const int fd = new_socket();
  if (fd < 0) return not_bound(fd, beside);
  ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  ::fchmod(fd, 0600);  // which bind() gives to the file: nobody else's until it is given away
  if (::bind(fd, generic(address), sizeof address) != 0 || ::lstat(beside.c_str(), &found) != 0 ||
      ::rename(beside.c_str(), path.c_str()) != 0)
    return not_bound(fd, beside);
  std::shared_ptr<syslog_socket> made(new syslog_socket(executor, path, fd, found));
  sockets()[path] = made;
  return made;
}

syslog_socket::syslog_socket(const asio::any_io_executor& executor, std::string path, int fd, const struct stat& is)
    : path_(std::move(path)), is_(is), descriptor_(executor, fd), buffer_(tail::longest_line, '\0') {}

syslog_socket::~syslog_socket() {
  if (is_at_path()) ::unlink(path_.c_str());
  const auto mine = sockets().find(path_);
  if (mine != sockets().end() && mine->second.expired()) sockets().erase(mine);
}

std::string syslog_socket::give(const socket_access& to) const {
  const std::string group = to.group.empty() ? "www-data" : to.group;
  const ::group* const known = ::getgrnam(group.c_str());
  const bool asked_for = !to.group.empty();
  if (known == nullptr && asked_for) return fmt::format("can't be given to the group {}: there is none", group);
  const bool given = known != nullptr && ::chown(path_.c_str(), static_cast<uid_t>(-1), known->gr_gid) == 0;
  if (!given && asked_for) return fmt::format("can't be given to the group {}: {}", group, std::strerror(errno));
  if (::chmod(path_.c_str(), to.mode) != 0) return fmt::format("can't be given its mode: {}", std::strerror(errno));
  return {};
}

bool syslog_socket::is_at_path() const {
  struct stat there{};
  return ::lstat(path_.c_str(), &there) == 0 && same_file(there, is_);
}

asio::awaitable<void> syslog_socket::arrival(boost::system::error_code& ended) {
  return descriptor_.async_wait(asio::posix::stream_descriptor::wait_read, asio::redirect_error(asio::use_awaitable, ended));
}

void syslog_socket::receive() {
  if (!descriptor_.is_open()) return;
  for (;;) {
    // The whole size even of a message that does not fit.
    const ssize_t size = ::recv(descriptor_.native_handle(), buffer_.data(), buffer_.size(), MSG_DONTWAIT | MSG_TRUNC);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return;
    const auto length = static_cast<std::size_t>(size);
    const auto line = length <= buffer_.size() ? line_in_syslog(std::string_view(buffer_).substr(0, length)) : std::nullopt;
    if (!line || lines_.size() + line->size() > most_waiting) {
      ++spoilt_;
      continue;
    }
    lines_.append(*line).push_back('\n');
  }
}

void syslog_socket::read(const take_line& take) {
  std::string_view left = lines_;
  while (!left.empty()) {
    const std::size_t end = left.find('\n');
    take(left.substr(0, end));
    left.remove_prefix(end + 1);
  }
  lines_.clear();
}

void syslog_socket::close() {
  descriptor_.close();
}

}  // namespace flipback::access_log
