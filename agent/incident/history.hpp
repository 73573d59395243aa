#pragma once

#include "flipback/event.hpp"

#include "agent/incident/history_file.hpp"
#include "agent/store/disk_thread.hpp"
#include "agent/store/late_answer.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace flipback::incident {

/// Keeps what happened, so that it can be read when the agent is down: in an SQLite file of its own beside the state, and each operation as
/// a line in a text file. It has a thread of its own: no disk holds up the loop, nor what is remembered for deciding. What the disk does
/// not take is kept in memory and tried again every second; past a bound the oldest of it is lost, and how much is said.
class history {
 public:
  static constexpr std::size_t most_waiting = 2'000;
  static constexpr std::size_t longest_line = 64 * 1024;  ///< bytes; an event with more is kept without its fields, cut off
  static constexpr duration again_after = std::chrono::seconds(1);

  /// `trouble` is told, on the loop, why the disk takes nothing, or what it never took; "" when it does again.
  history(boost::asio::any_io_executor loop, const std::string& state_file, std::function<void(const std::string&)> trouble);
  /// Waits at most 2 s for what was told to be kept.
  ~history();
  history(const history&) = delete;
  history& operator=(const history&) = delete;

  /// Never blocks.
  void add(const event& e, wall_time at);

  /// Has something read of the file with all that was told until now, on the history's thread, and waits for it, at most 2 s.
  template <typename T>
  boost::asio::awaitable<std::expected<T, std::string>> read(std::function<T(const std::string& file)> how) {
    const auto found = std::make_shared<std::optional<T>>();
    const auto answer = std::make_shared<late_answer>();
    thread_.post([own = parts_, found, answer, how = std::move(how)] {
      (void)write(*own);
      *found = how(file_of(*own));
      answer->give({});
    });
    const auto came = co_await answer->wait(disk_thread::patience);
    if (!came) co_return std::unexpected(came.error());
    co_return std::move(**found);
  }

  /// Beside a state file "/var/lib/flipback/flipback.db": "…/flipback.history.db" and "…/flipback.ops.log".
  static std::string file_beside(const std::string& state_file);
  static std::string log_beside(const std::string& state_file);

 private:
  struct parts;
  static std::expected<void, std::string> write(parts& of);
  static const std::string& file_of(const parts& of);
  void write_soon();
  void came_to(const std::expected<void, std::string>& came);

  std::shared_ptr<parts> parts_;
  bool writing_ = false;  ///< a write is under way, or what came of it is not heard yet
  disk_thread thread_;    ///< the last member: what it does may touch the parts, and outlive it with them
};

}  // namespace flipback::incident
