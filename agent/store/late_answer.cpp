#include "agent/store/late_answer.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

namespace flipback {

namespace asio = boost::asio;

void late_answer::give(result what) {
  const std::scoped_lock alone(one_at_a_time_);
  if (given_) return;
  given_ = std::move(what);
  if (!loop_) return;
  asio::post(*loop_, [self = shared_from_this()] {
    if (self->waiting_ != nullptr) self->waiting_->cancel();
  });
}

void late_answer::leave() {
  const std::scoped_lock alone(one_at_a_time_);
  loop_.reset();
  waiting_ = nullptr;
}

late_answer::result late_answer::answer_within(duration patience) {
  const std::scoped_lock alone(one_at_a_time_);
  if (given_) return *given_;
  return std::unexpected(fmt::format("the disk has not taken it within {}", format_duration(patience)));
}

asio::awaitable<late_answer::result> late_answer::wait(duration patience) {
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  const auto executor = co_await asio::this_coro::executor;
  const auto self = shared_from_this();
  asio::steady_timer timer(executor, patience);
  // Also where the loop ends under us: then nothing may be posted to it any more.
  struct leaving {
    late_answer& from;
    ~leaving() { from.leave(); }
  } const leaves{*self};
  bool answered = false;
  {
    const std::scoped_lock alone(one_at_a_time_);
    answered = given_.has_value();
    waiting_ = &timer;
    if (!answered) loop_ = executor;
  }
  boost::system::error_code ignored;
  if (!answered) co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  co_return answer_within(patience);
}

}  // namespace flipback
