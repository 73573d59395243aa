#pragma once

#include "flipback/units.hpp"

#include "agent/process/child.hpp"
#include "agent/process/run.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace flipback::process {

/// A program that runs for as long as it likes: it can be waited for again and again, and who stops waiting does not end it. When this
/// object goes, it goes on running, but nobody reads any more what it writes.
class running {
 public:
  static std::expected<std::unique_ptr<running>, std::string> start(boost::asio::any_io_executor executor,
                                                                    const std::vector<std::string>& argv, outputs kept,
                                                                    std::size_t most_output = usual_output, std::string_view input = {});
  /// All that it writes goes to this descriptor, and `so_far` has nothing of it.
  static std::expected<std::unique_ptr<running>, std::string> start(boost::asio::any_io_executor executor,
                                                                    const std::vector<std::string>& argv, int into);
  /// A program that was started before, by its pidfd. Of one that is not our child the status is never known: it is 255.
  static std::unique_ptr<running> watch(boost::asio::any_io_executor executor, const child& begun);
  running(const running&) = delete;
  running& operator=(const running&) = delete;
  ~running();

  [[nodiscard]] bool has_ended() const;
  /// Waits until it ends, at most for so long; true: it has ended. Cancelled, it says how it stands then.
  boost::asio::awaitable<bool> ended_within(duration limit);
  /// Sends a signal to its whole group, if it has not ended.
  void signal(int number);
  [[nodiscard]] pid_t pid() const;
  /// What it has written so far; with its status, once it has ended. Each output up to the bound.
  [[nodiscard]] finished so_far() const;

 private:
  struct state;
  explicit running(std::shared_ptr<state> s);
  static std::unique_ptr<running> made(std::shared_ptr<state> s);
  std::shared_ptr<state> state_;
};

}  // namespace flipback::process
