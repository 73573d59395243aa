#pragma once

#include "flipback/units.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <expected>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace flipback {

/// An answer that another thread gives and the loop waits for, not for ever. The thread may hold it for as long as it likes, past the end
/// of whoever waited and of the loop itself.
class late_answer : public std::enable_shared_from_this<late_answer> {
 public:
  using result = std::expected<void, std::string>;

  /// From any thread; what is given first stands.
  void give(result what);

  /// For the loop, once. Not cancellable: a write that is under way isn't, either. An error of its own, where there was no answer within
  /// `patience`: the answer may still come, and is then heard by nobody.
  boost::asio::awaitable<result> wait(duration patience);

 private:
  void leave();
  result answer_within(duration patience);

  std::mutex one_at_a_time_;
  std::optional<result> given_;
  std::optional<boost::asio::any_io_executor> loop_;  ///< while somebody waits
  boost::asio::steady_timer* waiting_ = nullptr;      ///< the loop's alone
};

}  // namespace flipback
