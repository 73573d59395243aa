#pragma once

#include "agent/task_group.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <utility>

namespace flipback::serve {

/// Accepts until cancelled, and has `converse` make a task of each connection; beyond `most` at once they are hung up on. Ends when every
/// task has ended.
template <typename Acceptor, typename Converse>
boost::asio::awaitable<void> accept_all(Acceptor& at, task_group& conversations, std::size_t most, Converse converse) {
  namespace asio = boost::asio;
  constexpr auto as_value = asio::as_tuple(asio::use_awaitable);
  co_await asio::this_coro::throw_if_cancelled(false);  // the tasks are to be cancelled, and waited for, first
  for (;;) {
    auto [error, socket] = co_await at.async_accept(as_value);
    if (error == asio::error::operation_aborted) break;
    if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none) break;
    if (error) {  // out of descriptors, say: the next one may fare better
      asio::steady_timer pause(at.get_executor(), std::chrono::milliseconds(100));
      const auto [cancelled] = co_await pause.async_wait(as_value);
      if (cancelled) break;
      continue;
    }
    if (conversations.size() < most) conversations.spawn(converse(std::move(socket)));
  }
  conversations.cancel();
  co_await asio::this_coro::reset_cancellation_state();
  co_await conversations.join();
}

}  // namespace flipback::serve
