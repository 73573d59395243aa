#pragma once

#include "probes/access_log/source.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>

#include <sys/stat.h>

#include <expected>
#include <memory>
#include <string>

namespace flipback::access_log {

/// A Unix datagram socket that syslog messages come to, and what has come and was not taken yet.
///
/// nginx loses a line when its connected socket is closed, and opens the path again only for the next. So a reload keeps the socket: the
/// next generation finds it by `bound_at`, and closing is left to whoever has it last, who takes the path away too.
class syslog_socket {
 public:
  /// The one in this process that is bound to the path; null: none.
  static std::shared_ptr<syslog_socket> bound_at(const std::string& path);
  /// Binds it: beside the path and then renamed, so that the path leads to a socket that is served, always. A file that is no socket and
  /// a socket that somebody serves are left alone.
  static std::expected<std::shared_ptr<syslog_socket>, std::string> bind(const asio::any_io_executor& executor, const std::string& path);
  /// Whether some program has a socket there and serves it.
  static bool is_served(const std::string& path);

  ~syslog_socket();
  syslog_socket(const syslog_socket&) = delete;
  syslog_socket& operator=(const syslog_socket&) = delete;

  /// Lets others write to it; what could not be done, or nothing.
  [[nodiscard]] std::string give(const socket_access& to) const;
  /// Whether the path still leads to it.
  [[nodiscard]] bool is_at_path() const;
  /// Waits for a message; an error where it was closed, or the waiting cancelled.
  asio::awaitable<void> arrival(boost::system::error_code& ended);
  /// Takes what the kernel has.
  void receive();
  /// Hands on every line that has come.
  void read(const take_line& take);
  void close();
  [[nodiscard]] bool is_open() const { return descriptor_.is_open(); }

  [[nodiscard]] std::size_t waiting() const { return lines_.size(); }  ///< bytes
  [[nodiscard]] std::uint64_t spoilt() const { return spoilt_; }       ///< messages cut off, or not syslog's
  bool followed = false;                                               ///< by a probe

 private:
  syslog_socket(const asio::any_io_executor& executor, std::string path, int fd, const struct stat& is);

  std::string path_;
  struct stat is_;
  asio::posix::stream_descriptor descriptor_;
  std::string lines_;  ///< each ended by '\n'
  std::string buffer_;
  std::uint64_t spoilt_ = 0;
};

}  // namespace flipback::access_log
