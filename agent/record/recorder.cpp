#include "agent/record/recorder.hpp"

#include "agent/record/record_file.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <future>
#include <tuple>
#include <utility>
#include <vector>

namespace flipback {

namespace asio = boost::asio;

/// What the thread has: it outlives the recorder where the disk does not answer.
struct recorder::disk {
  explicit disk(const config::record& to) : file(to.path, to.max_size, to.max_age) {}

  /// What a file begins with.
  std::string head(const moment& since) {
    rules::replay::record_writer made;
    made.write(rules::replay::beginning{since.at, since.wall, std::exchange(continues, true)});
    for (const rules::replay::declared& d : signals) made.write(d);
    if (since.stood.cutover) made.write(rules::replay::cut_over{*since.stood.cutover, false, true});
    if (since.stood.window_open) made.write(rules::replay::window_changed{since.at, true});
    if (!since.stood.held.empty()) made.write(rules::replay::hold_changed{since.at, since.stood.held});
    return made.take();
  }

  record_file file;
  std::vector<rules::replay::declared> signals;
  bool continues = false;  ///< whether the next file goes on with what the rules know
};

recorder::recorder(asio::io_context& loop, const config::record& to, const rules::catalogue& signals, std::function<standing()> stands,
                   std::function<void(event)> tell)
    : loop_(loop), stands_(std::move(stands)), tell_(std::move(tell)), path_(to.path), disk_(std::make_shared<disk>(to)) {
  for (const signal& s : signals.all()) {
    const auto series = series_.emplace(s.samples, static_cast<std::uint32_t>(series_.size())).first->second;
    disk_->signals.push_back({series, s});
  }
}

recorder::~recorder() {
  hand_on({});
  *alive_ = false;
  const auto done = std::make_shared<std::promise<void>>();
  asio::post(*thread_, [done] { done->set_value(); });
  // A thread that a disk holds can't be joined, nor must what it uses go: it is left to the process's end.
  if (done->get_future().wait_for(patience) == std::future_status::timeout) std::ignore = thread_.release();
}

void recorder::begin(bool continues) {
  disk_->continues = continues;
  since_ = present();
}

asio::awaitable<void> recorder::run() {
  asio::steady_timer timer(loop_);
  for (;;) {
    timer.expires_after(std::chrono::seconds(1));
    co_await timer.async_wait(asio::use_awaitable);
    hand_on(present());
  }
}

void recorder::hand_on(moment next) {
  std::string frame = writer_.take();
  if (frame.empty()) return;
  if (waiting_ + frame.size() > most_waiting) return told(std::unexpected("the disk is too slow"), 0);
  waiting_ += frame.size();
  asio::post(*thread_, [this, alive = alive_, loop = loop_.get_executor(), on = disk_, frame = std::move(frame),
                        since = std::exchange(since_, std::move(next))] {
    const auto written = on->file.append(frame, [&] { return on->head(since); });
    asio::post(loop, [this, alive, written, size = frame.size()] {
      if (*alive) told(written, size);
    });
  });
}

void recorder::told(const std::expected<void, std::string>& written, std::size_t size) {
  waiting_ -= size;
  if (!std::exchange(loses_, !written) && !written)
    tell_({"record.failed", severity::warning, fmt::format("{}: {}: what happens now is not recorded", path_, written.error()), {}});
}

}  // namespace flipback
