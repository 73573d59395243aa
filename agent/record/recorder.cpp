#include "agent/record/recorder.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <utility>

namespace flipback {

namespace asio = boost::asio;

recorder::recorder(asio::io_context& loop, const config::record& to, const rules::catalogue& signals, std::function<void(event)> tell)
    : loop_(loop), tell_(std::move(tell)), path_(to.path), file_(to.path, to.max_size, to.max_age) {
  for (const signal& s : signals.all()) {
    const auto series = series_.emplace(s.samples, static_cast<std::uint32_t>(series_.size())).first->second;
    signals_.push_back({series, s});
  }
}

recorder::~recorder() {
  hand_on();
  *alive_ = false;
  thread_.join();
}

std::string recorder::head(const moment& since) {
  rules::replay::record_writer made;
  made.write(rules::replay::beginning{since.at, since.wall, std::exchange(continues_, true)});
  for (const rules::replay::declared& d : signals_) made.write(d);
  return made.take();
}

void recorder::begin(bool continues) {
  continues_ = continues;
  since_ = {};
}

asio::awaitable<void> recorder::run() {
  asio::steady_timer timer(loop_);
  for (;;) {
    timer.expires_after(std::chrono::seconds(1));
    co_await timer.async_wait(asio::use_awaitable);
    hand_on();
  }
}

void recorder::hand_on() {
  std::string frame = writer_.take();
  if (frame.empty()) return;
  if (waiting_ + frame.size() > most_waiting) return told(std::unexpected("the disk is too slow"), 0);
  waiting_ += frame.size();
  asio::post(thread_, [this, alive = alive_, frame = std::move(frame), since = std::exchange(since_, {})] {
    const auto written = file_.append(frame, [&] { return head(since); });
    asio::post(loop_, [this, alive, written, size = frame.size()] {
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
