#pragma once

#include "flipback/event.hpp"

#include "agent/incident/history_file.hpp"
#include "agent/store/disk_thread.hpp"
#include "agent/store/late_answer.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

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
  static constexpr std::size_t most_waiting = 1'000;      ///< events, for each of the two files
  static constexpr std::size_t longest_line = 16 * 1024;  ///< bytes; an event with more is kept without its fields, cut off
  static constexpr duration again_after = std::chrono::seconds(1);

  /// `tell`, on the loop: `history.failed` says why a disk takes nothing, `history.kept` that it does again, `history.lost` what it never
  /// took.
  history(boost::asio::io_context& loop, const std::string& state_file, std::function<void(event)> tell);
  /// Waits at most 2 s for what was told to be kept.
  ~history();
  history(const history&) = delete;
  history& operator=(const history&) = delete;

  /// Never blocks.
  void add(const event& e, wall_time at);

  /// Why what happens is not on record; empty: it is.
  [[nodiscard]] const std::string& trouble() const { return told_; }

  /// Has something read of all that was told until now, on the history's thread, and waits for it, at most 2 s.
  template <typename T>
  boost::asio::awaitable<std::expected<T, std::string>> read(std::function<T(const record& all)> how) {
    const auto found = std::make_shared<std::optional<T>>();
    const auto answer = std::make_shared<late_answer>();
    thread_.post([own = parts_, found, answer, how = std::move(how)] {
      write(*own);
      *found = how(record_of(*own));
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
  static void write(parts& of);
  static record record_of(parts& of);
  void write_soon();
  void came_to();

  std::function<void(event)> tell_;
  boost::asio::steady_timer again_;
  std::shared_ptr<parts> parts_;
  bool writing_ = false;  ///< a write is under way, or what came of it is not heard yet
  std::string told_;      ///< why nothing is kept, as it was told last; empty: it is
  disk_thread thread_;    ///< the last member: what it does may touch the parts, and outlive it with them
};

}  // namespace flipback::incident
