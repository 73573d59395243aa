#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <list>
#include <string>

namespace flipback {

/// Tasks that live and end together: each is cancelled by `cancel` and waited for by `join`; none is left behind.
class task_group {
 public:
  /// `on_failure` is told of a task that ended by an exception other than its cancellation.
  task_group(boost::asio::io_context& loop, std::function<void(std::string)> on_failure);
  ~task_group();
  task_group(const task_group&) = delete;
  task_group& operator=(const task_group&) = delete;

  void spawn(boost::asio::awaitable<void> task);
  void cancel();
  /// Completes when every task has ended. New ones may still be spawned meanwhile and are waited for too.
  boost::asio::awaitable<void> join();
  [[nodiscard]] std::size_t size() const { return running_.size(); }

 private:
  void begin(boost::asio::awaitable<void> task, std::list<boost::asio::cancellation_signal>::iterator place);

  boost::asio::io_context& loop_;
  std::function<void(std::string)> on_failure_;
  std::list<boost::asio::cancellation_signal> running_;
  boost::asio::steady_timer ended_;
};

}  // namespace flipback
