#include "probes/off_loop.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace flipback {

/// What the loop and the thread share of one look. Nothing here is of the loop's, which may be gone when the thread comes back.
struct off_loop::job {
  std::string at;
  instant begun = std::chrono::steady_clock::now();
  std::exception_ptr thrown;
  std::mutex guard;
  bool abandoned = false;  ///< nobody waits any more, and the loop may be gone
};

off_loop::off_loop(const asio::any_io_executor& executor) : answered_(executor, asio::steady_timer::time_point::max()) {}

off_loop::~off_loop() {
  if (!under_way_) return;
  const std::scoped_lock lock(under_way_->guard);
  under_way_->abandoned = true;
}

void off_loop::ended() {
  under_way_.reset();
  answered_.cancel();
}

asio::awaitable<net::result<void>> off_loop::run(std::string at, std::function<void()> work) {
  if (under_way_) {
    const auto since = std::chrono::floor<std::chrono::seconds>(std::chrono::steady_clock::now() - under_way_->begun);
    co_return std::unexpected(
        net::failure{reason::timed_out, fmt::format("{}: a look begun {} ago has not ended", under_way_->at, format_duration(since))});
  }
  const auto mine = std::make_shared<job>();
  mine->at = std::move(at);
  try {
    std::thread([this, mine, loop = answered_.get_executor(), work = std::move(work)]() mutable {
      try {
        std::exchange(work, {})();
      } catch (...) {
        mine->thrown = std::current_exception();
      }
      const std::scoped_lock lock(mine->guard);
      if (mine->abandoned) return;
      asio::post(loop, [this, mine] {
        if (!mine->abandoned) ended();
      });
    }).detach();
  } catch (const std::system_error& none_left) {
    co_return std::unexpected(
        net::failure{reason::own_limits, fmt::format("{}: no thread is left to look at it: {}", mine->at, none_left.code().message())});
  }
  under_way_ = mine;
  co_await answered_.async_wait(asio::as_tuple(asio::use_awaitable));
  if (under_way_ == mine) throw boost::system::system_error(asio::error::operation_aborted);
  if (mine->thrown) std::rethrow_exception(mine->thrown);
  co_return net::result<void>();
}

}  // namespace flipback
