#pragma once

#include "probes/access_log/tail.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace flipback::access_log {

namespace asio = boost::asio;

/// Where a log's lines come from.
class source {
 public:
  virtual ~source() = default;

  /// Goes back as far as `since` (seconds since 1970), `bytes` at most; false where there is no past to be had. Lines of several files then
  /// come file by file.
  virtual bool go_back(std::uint64_t bytes, double since) = 0;
  /// Hands on every whole line that has come. True where more is waiting. What a trouble says is a whole sentence.
  virtual std::expected<bool, trouble> read(const take_line& take) = 0;
  /// Calls `look` as lines come, until cancelled.
  virtual asio::awaitable<void> follow(std::function<void()> look) = 0;
  /// What a single look without following can say, where that is not the lines themselves.
  [[nodiscard]] virtual std::optional<observation> glance() const { return std::nullopt; }
  /// How many lines could not be taken since it was asked last: too long, cut off.
  virtual std::uint64_t take_spoilt() = 0;
  /// What a person should know of it, if anything.
  [[nodiscard]] virtual std::string note() const { return {}; }
};

/// Files that are one log together. One of several that is not there is only noted: a site that is not live may have none yet.
std::unique_ptr<source> make_file_source(asio::any_io_executor executor, std::vector<std::string> paths);

/// How a socket is shared with nginx's workers.
struct socket_access {
  unsigned mode = 0660;
  std::string group;  ///< empty: www-data, where there is such a group and we may give the socket to it
};
std::unique_ptr<source> make_syslog_source(asio::any_io_executor executor, std::string path, socket_access access);

}  // namespace flipback::access_log
