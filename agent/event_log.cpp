#include "agent/event_log.hpp"

#include "agent/event_lines.hpp"

#include <fmt/format.h>

#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <functional>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>

namespace flipback {

namespace {

constexpr std::size_t most_held = 512;  ///< lines
constexpr auto at_the_end = std::chrono::milliseconds(200);
constexpr int look_up_every = 50;  ///< milliseconds, at whether it is the end, while nobody reads

bool takes_some(int descriptor) {
  pollfd asked{descriptor, POLLOUT, 0};
  return ::poll(&asked, 1, look_up_every) > 0;
}

event lines_lost(std::size_t many) {
  event told{"agent.lines_lost", severity::warning, fmt::format("{} lines before this one were not read, and are lost", many), {}};
  told.with("lines", static_cast<std::int64_t>(many));
  return told;
}

std::string line_as(config::log_format format, bool for_journald, const event& e) {
  const wall_time now = std::chrono::system_clock::now();
  // An object with something in front would be no JSON any more.
  if (format == config::log_format::json) return json_line(e, now) + '\n';
  const bool logfmt = format == config::log_format::logfmt;
  const std::string line = logfmt ? logfmt_line(e, now) : for_journald ? journald_line(e) : text_line(e, now);
  return (for_journald ? journald_priority(e.severity) : "") + line + '\n';
}

}  // namespace

/// What was told and is not written. Shared with the thread, which is left to itself where a write hangs for good.
struct event_log::lines {
  int descriptor = -1;
  std::function<std::string(const event&)> line_of;
  std::mutex one_at_a_time;
  std::condition_variable changed;
  std::deque<std::string> held;
  std::size_t lost = 0;
  bool ending = false;
  bool given_up = false;
  bool ended = false;
  std::thread thread;

  void add(std::string line) {
    const std::scoped_lock lock(one_at_a_time);
    if (held.size() >= most_held) {
      held.pop_front();
      ++lost;
    }
    held.push_back(std::move(line));
    changed.notify_all();
  }

  void run() {
    std::unique_lock lock(one_at_a_time);
    for (;;) {
      changed.wait(lock, [this] { return ending || !held.empty(); });
      if (held.empty() || given_up) break;
      std::string line = std::move(held.front());
      held.pop_front();
      if (lost > 0) line.insert(0, line_of(lines_lost(std::exchange(lost, 0))));
      lock.unlock();
      write(line);
      lock.lock();
    }
    ended = true;
    changed.notify_all();
  }

  bool gave_up() {
    const std::scoped_lock lock(one_at_a_time);
    return given_up;
  }

  /// The descriptor can't be made non-blocking, since that would be so for everybody who shares it: a pipe that poll says has room takes
  /// this much at once.
  void write(std::string_view rest) {
    while (!rest.empty()) {
      if (!takes_some(descriptor)) {
        if (gave_up()) return;
        continue;
      }
      const ssize_t wrote = ::write(descriptor, rest.data(), std::min<std::size_t>(rest.size(), PIPE_BUF));
      if (wrote < 0 && errno != EINTR && errno != EAGAIN) return;
      if (wrote > 0) rest.remove_prefix(static_cast<std::size_t>(wrote));
    }
  }
};

event_log::event_log(config::log_format format, severity least, int descriptor) : lines_(std::make_shared<lines>()), least_(least) {
  lines_->descriptor = descriptor;
  lines_->line_of = [format, for_journald = std::getenv("JOURNAL_STREAM") != nullptr](const event& e) {
    return line_as(format, for_journald, e);
  };
  // Signals are the loop's.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  lines_->thread = std::thread([own = lines_] { own->run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

event_log::~event_log() {
  std::unique_lock lock(lines_->one_at_a_time);
  const auto is_over = [this] { return lines_->ended; };
  lines_->ending = true;
  lines_->changed.notify_all();
  if (!lines_->changed.wait_for(lock, at_the_end, is_over)) {
    lines_->given_up = true;
    lines_->changed.wait_for(lock, at_the_end, is_over);
  }
  const bool ended = lines_->ended;
  lock.unlock();
  if (ended) {
    lines_->thread.join();
  } else {
    lines_->thread.detach();
  }
}

void event_log::tell(const event& e) {
  if (e.severity < least_) return;
  lines_->add(lines_->line_of(e));
}

}  // namespace flipback
