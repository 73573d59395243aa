#pragma once

#include "flipback/units.hpp"

#include "agent/task_group.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <string_view>
#include <utility>

namespace flipback::serve {

/// A connection that is served. While its client is waited for it may have to go for somebody else; while it is answered it may not.
class visit {
 public:
  explicit visit(std::function<void()> hang_up) : hang_up_(std::move(hang_up)) {}

  void wait() {
    waits_ = true;
    since_ = std::chrono::steady_clock::now();
  }
  void answer() { waits_ = false; }
  void end() { hang_up_(); }
  [[nodiscard]] bool waits() const { return waits_; }
  [[nodiscard]] instant since() const { return since_; }

 private:
  std::function<void()> hang_up_;
  bool waits_ = true;
  instant since_ = std::chrono::steady_clock::now();
};

/// The connections of one listener, of which there are only so many.
class visits {
 public:
  explicit visits(std::size_t most) : most_(most) {}

  /// Whether there is room for one more; where there is none, who has let us wait for longest goes.
  bool make_room() {
    std::erase_if(all_, [](const std::weak_ptr<visit>& v) { return v.expired(); });
    if (all_.size() < most_) return true;
    const auto waits_since = [](const std::weak_ptr<visit>& v) {
      const auto one = v.lock();
      return one && one->waits() ? one->since() : instant::max();
    };
    const auto oldest = std::ranges::min_element(all_, {}, waits_since);
    if (oldest == all_.end() || waits_since(*oldest) == instant::max()) return false;
    oldest->lock()->end();
    all_.erase(oldest);
    return true;
  }
  void add(const std::shared_ptr<visit>& one) { all_.emplace_back(one); }

 private:
  std::size_t most_;
  std::list<std::weak_ptr<visit>> all_;
};

/// Accepts until cancelled, and has `converse` make a task of each connection. Beyond `most` at once who has kept us waiting for longest is
/// hung up on; where all are being answered, who comes is told `refusal`. Ends when every task has ended.
template <typename Acceptor, typename Converse>
boost::asio::awaitable<void> accept_all(Acceptor& at, task_group& conversations, std::size_t most, std::string_view refusal,
                                        Converse converse) {
  namespace asio = boost::asio;
  using socket_type = typename Acceptor::protocol_type::socket;
  constexpr auto as_value = asio::as_tuple(asio::use_awaitable);
  visits now(most);
  co_await asio::this_coro::throw_if_cancelled(false);  // the tasks are to be cancelled, and waited for, first
  for (;;) {
    auto [error, accepted] = co_await at.async_accept(as_value);
    if (error == asio::error::operation_aborted) break;
    const asio::cancellation_state asked = co_await asio::this_coro::cancellation_state;
    if (asked.cancelled() != asio::cancellation_type::none) break;
    if (error) {  // out of descriptors, say: the next one may fare better
      asio::steady_timer pause(at.get_executor(), std::chrono::milliseconds(100));
      const auto [cancelled] = co_await pause.async_wait(as_value);
      if (cancelled) break;
      continue;
    }
    if (!now.make_room()) {
      boost::system::error_code ignored;
      accepted.non_blocking(true, ignored);
      accepted.write_some(asio::buffer(refusal), ignored);  // a new connection takes so little at once
      continue;
    }
    const auto with = std::make_shared<socket_type>(std::move(accepted));
    const auto one = std::make_shared<visit>([with] {
      boost::system::error_code ignored;
      with->close(ignored);
    });
    now.add(one);
    conversations.spawn([](Converse answers, std::shared_ptr<socket_type> to, std::shared_ptr<visit> of) -> asio::awaitable<void> {
      co_await answers(*to, *of);
    }(converse, with, one));
  }
  conversations.cancel();
  co_await asio::this_coro::reset_cancellation_state();
  co_await conversations.join();
}

}  // namespace flipback::serve
