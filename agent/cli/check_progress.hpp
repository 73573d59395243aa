#pragma once

#include "agent/cli/check_report.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace flipback::cli {

/// While somebody waits at a terminal, a last line on standard error that says for what: painted anew at most five times a second, and
/// erased at the end. Where standard error is no terminal, or one that can't erase, there is none.
class progress {
 public:
  /// What the line says now, if it can in so many bytes: what goes beyond the screen is cut off.
  using telling = std::function<std::string(std::size_t columns)>;

  /// The loop must outlive it, and run for the line to be painted.
  progress(boost::asio::io_context& loop, telling says);
  ~progress();
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;

  /// Erases the line, and paints no other.
  void end();

 private:
  void paint_soon();
  void paint();

  boost::asio::steady_timer timer_;
  telling says_;
  std::string shown_;
  bool ended_ = false;
};

/// "3 of 5 answered, waiting for postgres, redis": as many names as fit into so many bytes, and how many more there are.
std::string progress_line(const std::vector<checked>& all, std::size_t columns);

/// "postgres, redis", or "postgres and 4 more" where that has more bytes than there is room for.
std::string listed(const std::vector<std::string>& names, std::size_t room);

}  // namespace flipback::cli
