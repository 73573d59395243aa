#pragma once

#include "flipback/units.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <memory>
#include <optional>

namespace flipback {

/// What the operation gives, or nothing where it has not ended within the limit: then it is cancelled and waited for, so that nothing is
/// left running. Its own exceptions, cancellation by the limit apart, pass through.
template <typename T>
boost::asio::awaitable<std::optional<T>> within(duration limit, boost::asio::awaitable<T> operation) {
  namespace asio = boost::asio;
  struct shared {
    explicit shared(const asio::any_io_executor& executor) : ended(executor) {}
    asio::steady_timer ended;
    asio::cancellation_signal cancel;
    std::optional<T> value;
    std::exception_ptr thrown;
    bool done = false;
  };
  // A cancellation that came a moment ago, when there was nothing to cancel, must not leave the operation running: no wait throws it.
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  const asio::cancellation_state of_ours = co_await asio::this_coro::cancellation_state;
  const bool is_cancelled = of_ours.cancelled() != asio::cancellation_type::none;
  const auto executor = co_await asio::this_coro::executor;
  const auto state = std::make_shared<shared>(executor);
  state->ended.expires_after(limit);
  asio::co_spawn(executor, std::move(operation),
                 asio::bind_cancellation_slot(state->cancel.slot(), [state](std::exception_ptr thrown, T value) {
                   state->done = true;
                   state->thrown = std::move(thrown);
                   if (!state->thrown) state->value = std::move(value);
                   state->ended.cancel();
                 }));
  if (!state->done && !is_cancelled) co_await state->ended.async_wait(asio::as_tuple(asio::use_awaitable));
  if (state->done) {
    co_await asio::this_coro::throw_if_cancelled(throws);
    if (state->thrown) std::rethrow_exception(state->thrown);
    co_return std::move(state->value);
  }
  // The limit, or our own cancellation: either way the operation ends before we do.
  co_await asio::this_coro::reset_cancellation_state();
  state->cancel.emit(asio::cancellation_type::terminal);
  state->ended.expires_at(asio::steady_timer::time_point::max());
  while (!state->done) co_await state->ended.async_wait(asio::as_tuple(asio::use_awaitable));
  co_await asio::this_coro::throw_if_cancelled(throws);
  co_return std::nullopt;
}

}  // namespace flipback
