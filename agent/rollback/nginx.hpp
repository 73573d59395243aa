#pragma once

#include "agent/config/configuration.hpp"
#include "agent/rollback/nginx_configuration.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <sys/types.h>

#include <expected>
#include <optional>
#include <set>
#include <string>

namespace flipback::rollback {

/// nginx's workers as the process table shows them.
struct workers {
  std::set<pid_t> accepting;
  std::set<pid_t> leaving;  ///< "shutting down": they finish what they have, and accept nothing more
};

/// nginx as it is operated from outside: tested, reloaded and watched.
class nginx {
 public:
  nginx(config::nginx settings, boost::asio::any_io_executor executor);

  /// `nginx -t`; an error is what it said.
  boost::asio::awaitable<std::expected<void, std::string>> test() const;
  /// HUP to the master, or the configured command. That it succeeds proves nothing yet.
  boost::asio::awaitable<std::expected<void, std::string>> reload() const;
  /// What `nginx -T` says of its configuration.
  boost::asio::awaitable<std::expected<nginx_configuration, std::string>> configured() const;
  /// Where errors are logged, unless the settings say.
  void logs_errors_to(const std::string& path);

  /// Nothing where the master or its workers can't be seen (another container, another user's /proc).
  [[nodiscard]] std::optional<workers> see_workers() const;

  /// The end of the error log now; `emerg_since` reads from there.
  [[nodiscard]] std::uint64_t error_log_mark() const;
  /// The first line since the mark in which nginx's master itself says `[emerg]`; nothing where there is none, or the master is not known.
  [[nodiscard]] std::optional<std::string> emerg_since(std::uint64_t mark) const;

 private:
  [[nodiscard]] std::vector<std::string> command(std::string_view action) const;
  [[nodiscard]] std::expected<pid_t, std::string> master() const;

  config::nginx settings_;
  std::string error_log_;
  boost::asio::any_io_executor executor_;
};

}  // namespace flipback::rollback
