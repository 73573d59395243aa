#include "agent/process/running.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <sys/wait.h>

#include <csignal>
#include <set>
#include <utility>

namespace flipback::process {

namespace asio = boost::asio;

struct running::state : std::enable_shared_from_this<running::state> {
  state(asio::any_io_executor on, const child& of, std::size_t most) : executor(std::move(on)), pid(of.pid), end(executor, of.end) {
    if (of.output >= 0) output = std::make_shared<outlet>(executor, of.output, most);
    if (of.errors >= 0) errors = std::make_shared<outlet>(executor, of.errors, most);
  }

  void watch() {
    end.async_wait(asio::posix::stream_descriptor::wait_read, [self = shared_from_this()](const boost::system::error_code& error) {
      if (error || !self->end.is_open()) return;
      // Readiness is a hint: Asio may hand on that of a descriptor that was closed in the same turn of the loop.
      if (!self->take_end()) self->watch();
    });
  }

  bool take_end() {
    int how = 0;
    const pid_t took = ::waitpid(pid, &how, WNOHANG);
    if (took == 0) return false;
    // What somebody else has taken the end of did not end well as far as we know.
    if (took < 0) how = 255 << 8;
    status = WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
    over = true;
    if (output) output->finish();
    if (errors) errors->finish();
    for (asio::steady_timer* w : waiting) w->cancel();
    return true;
  }

  asio::any_io_executor executor;
  pid_t pid;
  asio::posix::stream_descriptor end;
  std::shared_ptr<outlet> output;  // null: it writes to where it was told
  std::shared_ptr<outlet> errors;
  std::set<asio::steady_timer*> waiting;
  bool over = false;
  int status = 0;
};

std::expected<std::unique_ptr<running>, std::string> running::start(asio::any_io_executor executor, const std::vector<std::string>& argv,
                                                                    outputs kept, std::size_t most_output, std::string_view input) {
  const auto started = process::start(argv, kept, input);
  if (!started) return std::unexpected(started.error());
  return made(std::make_shared<state>(std::move(executor), *started, most_output));
}

std::expected<std::unique_ptr<running>, std::string> running::start(asio::any_io_executor executor, const std::vector<std::string>& argv,
                                                                    int into) {
  const auto started = process::start(argv, into);
  if (!started) return std::unexpected(started.error());
  return watch(std::move(executor), *started);
}

std::unique_ptr<running> running::watch(asio::any_io_executor executor, const child& begun) {
  return made(std::make_shared<state>(std::move(executor), begun, 0));
}

std::unique_ptr<running> running::made(std::shared_ptr<state> s) {
  if (s->output) s->output->read();
  if (s->errors) s->errors->read();
  s->watch();
  return std::unique_ptr<running>(new running(std::move(s)));
}

running::running(std::shared_ptr<state> s) : state_(std::move(s)) {}

running::~running() {
  boost::system::error_code ignored;
  state_->end.close(ignored);
  if (state_->output) state_->output->close();
  if (state_->errors) state_->errors->close();
}

bool running::has_ended() const {
  return state_->over;
}

asio::awaitable<bool> running::ended_within(duration limit) {
  const std::shared_ptr<state> s = state_;
  if (s->over) co_return true;
  asio::steady_timer deadline(s->executor, limit);
  s->waiting.insert(&deadline);
  co_await deadline.async_wait(asio::as_tuple(asio::use_awaitable));
  s->waiting.erase(&deadline);
  co_return s->over;
}

void running::signal(int number) {
  if (!state_->over) ::kill(-state_->pid, number);
}

pid_t running::pid() const {
  return state_->pid;
}

finished running::so_far() const {
  finished f;
  f.status = state_->status;
  if (state_->output) f.output = state_->output->taken;
  if (state_->errors) f.errors = state_->errors->taken;
  return f;
}

}  // namespace flipback::process
