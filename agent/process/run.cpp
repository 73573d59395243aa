#include "agent/process/run.hpp"

#include "agent/process/running.hpp"

#include <boost/asio/this_coro.hpp>

#include <csignal>
#include <utility>

namespace flipback::process {

namespace asio = boost::asio;

namespace {

constexpr duration patience = std::chrono::seconds(1);  // between TERM and KILL
constexpr duration of_a_kill = std::chrono::hours(1);   // as long as it takes: a process in the kernel's hands ends late

}  // namespace

asio::awaitable<std::expected<finished, std::string>> run(asio::any_io_executor executor, std::vector<std::string> argv, duration limit,
                                                          std::size_t most_output, outputs kept, std::string input) {
  co_await asio::this_coro::throw_if_cancelled(false);
  auto started = running::start(executor, argv, kept, most_output, input);
  if (!started) co_return std::unexpected(std::move(started.error()));
  running& program = **started;
  const bool ended = co_await program.ended_within(limit);
  const bool unwanted = (co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none;
  if (!ended) {
    // Nobody may want its result any more, but it is not left behind.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    if (!unwanted) {
      program.signal(SIGTERM);
      co_await program.ended_within(patience);
    }
    while (!program.has_ended()) {
      program.signal(SIGKILL);
      co_await program.ended_within(of_a_kill);
    }
  }
  finished done = program.so_far();
  done.timed_out = !ended;
  co_return done;
}

}  // namespace flipback::process
