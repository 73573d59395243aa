#pragma once

#include "probes/net/network.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace flipback {

/// Looks that may block for ever, as on a file system whose server does not answer, or be kept busy by what a peer asks for: each on a
/// thread, one at a time. Who waits for one can be cancelled. A thread that hangs is left to itself, waited for by nobody, and what it uses
/// stays for as long as it needs it.
class off_loop {
 public:
  explicit off_loop(const asio::any_io_executor& executor);
  ~off_loop();
  off_loop(const off_loop&) = delete;
  off_loop& operator=(const off_loop&) = delete;

  /// Whether an earlier look has not ended: then nothing can be looked at.
  [[nodiscard]] bool hangs() const { return under_way_ != nullptr; }

  /// What `how` gives. It must own what it uses. `at` is what it looks at: named where an earlier look has not ended, which is `timed_out`.
  template <typename T>
  asio::awaitable<net::result<T>> look(std::string at, std::function<net::result<T>()> how) {
    const auto answer = std::make_shared<std::optional<net::result<T>>>();
    auto ran = co_await run(std::move(at), [answer, how = std::move(how)] { answer->emplace(how()); });
    if (!ran) co_return std::unexpected(std::move(ran.error()));
    co_return std::move(**answer);
  }

 private:
  struct job;

  asio::awaitable<net::result<void>> run(std::string at, std::function<void()> work);
  void ended();

  asio::steady_timer answered_;  ///< cancelled when the look under way has ended
  std::shared_ptr<job> under_way_;
};

}  // namespace flipback
