#pragma once

#include "flipback/units.hpp"

#include "agent/process/child.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <expected>
#include <string>
#include <vector>

namespace flipback::process {

struct finished {
  int status = 0;          ///< exit status; 128 + the signal's number where a signal ended it
  bool timed_out = false;  ///< it was ended by us at the time limit
  std::string output;      ///< standard output and error together, the first of it; or standard output alone
  std::string errors;      ///< standard error, where they are kept apart
};

inline constexpr std::size_t usual_output = 64 * 1024;  ///< bytes that are kept; the rest is read and dropped

/// Runs a program without a shell and without blocking anyone: in its own process group, with `input` on standard input. At the limit the
/// whole group is ended, by TERM and a second later by KILL. An error is one sentence on why it could not be started. A run that is
/// cancelled ends the group at once.
boost::asio::awaitable<std::expected<finished, std::string>> run(boost::asio::any_io_executor executor, std::vector<std::string> argv,
                                                                 duration limit, std::size_t most_output = usual_output,
                                                                 outputs kept = outputs::together, std::string input = {});

}  // namespace flipback::process
