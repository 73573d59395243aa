#pragma once

#include "agent/config/configuration.hpp"
#include "agent/rollback/command_result.hpp"
#include "agent/rollback/docker/answers.hpp"
#include "probes/net/network.hpp"

#include <expected>
#include <string>
#include <vector>

namespace flipback::rollback::docker {

/// nginx's container, as its Docker Engine shows and operates it (Engine API, 1.24 and later). Every answer is bounded in bytes, every call
/// ends at its time, and every error is a sentence with what to type. One that hangs may have done what was asked all the same.
class engine {
 public:
  engine(asio::any_io_executor executor, const config::nginx& settings);

  /// The container and its processes, if it runs nginx's master as its main process, and no other container of its docker-compose service
  /// runs beside it.
  struct found {
    docker::container container;
    workers seen;
  };
  asio::awaitable<std::expected<found, std::string>> find(instant until);
  /// The container and its processes alone: without a look at its siblings.
  asio::awaitable<std::expected<found, std::string>> look(instant until);

  /// Runs a program there to its end, at most to `until`; what it prints beyond `most` bytes makes it an error.
  asio::awaitable<ran> run(const container& in, std::vector<std::string> argv, instant until, std::size_t most);

  /// HUP to its main process, by the Engine's own signal. An error: it can't be told whether it came.
  asio::awaitable<std::expected<void, std::string>> hang_up(const container& whose, instant until);

 private:
  asio::awaitable<net::result<net::http_answer>> send(std::string method, std::string path, std::string body, instant until,
                                                      std::size_t most);
  /// With the version that both speak before the path. An answer of any status; 403 is an error.
  asio::awaitable<std::expected<net::http_answer, std::string>> ask(std::string method, std::string path, instant until,
                                                                    std::string body = {}, std::size_t most = 1024 * 1024);
  [[nodiscard]] std::string unreachable(const net::failure& why) const;
  [[nodiscard]] std::string troubled(std::string_view what) const;

  net::network through_;
  std::string name_;  ///< the container's, as configured
  std::string place_;
  net::endpoint to_;
};

}  // namespace flipback::rollback::docker
