#include "agent/task_group.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace flipback {

namespace asio = boost::asio;

task_group::task_group(asio::io_context& loop, std::function<void(std::string)> on_failure)
    : loop_(loop), on_failure_(std::move(on_failure)), ended_(loop, asio::steady_timer::time_point::max()) {}

task_group::~task_group() = default;

void task_group::spawn(asio::awaitable<void> task) {
  const auto place = running_.emplace(running_.end());
  try {
    begin(std::move(task), place);
  } catch (...) {  // no memory: what never began is not to be waited for
    running_.erase(place);
    throw;
  }
}

void task_group::begin(asio::awaitable<void> task, std::list<asio::cancellation_signal>::iterator place) {
  asio::co_spawn(loop_, std::move(task), asio::bind_cancellation_slot(place->slot(), [this, place](const std::exception_ptr& thrown) {
                   running_.erase(place);
                   if (running_.empty()) ended_.cancel();
                   if (!thrown) return;
                   try {
                     std::rethrow_exception(thrown);
                   } catch (const boost::system::system_error& error) {
                     if (error.code() != asio::error::operation_aborted) on_failure_(error.what());
                   } catch (const std::exception& error) {
                     on_failure_(error.what());
                   }
                 }));
}

void task_group::cancel() {
  for (auto& task : running_) task.emit(asio::cancellation_type::terminal);
}

asio::awaitable<void> task_group::join() {
  boost::system::error_code ignored;
  while (!running_.empty()) co_await ended_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

}  // namespace flipback
