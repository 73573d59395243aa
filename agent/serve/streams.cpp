#include "agent/serve/streams.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <utility>

namespace flipback::serve {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr auto as_value = asio::as_tuple(asio::use_awaitable);

/// As the HTML standard writes it. The data is one line.
std::string event_text(std::string_view name, std::string_view data) {
  while (data.ends_with('\n')) data.remove_suffix(1);
  return fmt::format("event: {}\ndata: {}\n\n", name, data);
}

void leave_out_the_time(json::object& status) {
  status.erase("at");
  json::value* const stands = status.if_contains("deployment");
  if (stands == nullptr || !stands->is_object()) return;
  stands->get_object().erase("window_left");
  stands->get_object().erase("next_attempt_in");
}

asio::awaitable<bool> is_cancelled() {
  const asio::cancellation_state asked = co_await asio::this_coro::cancellation_state;
  co_return asked.cancelled() != asio::cancellation_type::none;
}

}  // namespace

bool says_the_same(json::object one, json::object other) {
  leave_out_the_time(one);
  leave_out_the_time(other);
  return one == other;
}

/// One who listens, and what he has not read.
class streams::listener final : public feed {
 public:
  explicit listener(asio::io_context& loop) : news_(loop) {}

  void tell(const std::string& text) {
    if (waiting_.size() + text.size() > most_waiting) return end();
    waiting_ += text;
    news_.cancel();
  }
  asio::awaitable<std::string> next() override {
    if (waiting_.empty() && !is_over_) {
      news_.expires_after(comment_every);
      co_await news_.async_wait(as_value);
    }
    if (is_over_ || co_await is_cancelled()) co_return std::string();
    if (waiting_.empty()) co_return std::string(": still here\n\n");
    co_return std::exchange(waiting_, std::string());
  }
  void end() override {
    is_over_ = true;
    waiting_ = std::string();
    news_.cancel();
  }
  [[nodiscard]] bool is_over() const { return is_over_; }

 private:
  asio::steady_timer news_;
  std::string waiting_;
  bool is_over_ = false;
};

streams::streams(asio::io_context& loop, source of) : loop_(loop), of_(std::move(of)), pause_(loop) {}
streams::~streams() = default;

std::vector<std::shared_ptr<streams::listener>> streams::listening() {
  std::vector<std::shared_ptr<listener>> now;
  for (const std::weak_ptr<listener>& one : all_) {
    if (auto is = one.lock(); is && !is->is_over()) now.push_back(std::move(is));
  }
  all_.assign(now.begin(), now.end());
  return now;
}

std::shared_ptr<feed> streams::open() {
  const std::size_t others = listening().size();
  if (others >= most) return nullptr;
  if (others == 0) {  // nobody has looked meanwhile
    status_ = of_.status();
    rules_ = of_.rules();
  }
  const auto made = std::make_shared<listener>(loop_);
  made->tell(event_text("status", of_.line(status_)));
  made->tell(event_text("rules", of_.line(rules_)));
  all_.push_back(made);
  pause_.cancel();  // it is looked from now on
  return made;
}

void streams::tell_all(const std::string& text) {
  for (const auto& one : listening()) one->tell(text);
}

void streams::happened(const std::string& line) {
  tell_all(event_text("happened", line));
}

void streams::end_all() {
  for (const auto& one : listening()) one->end();
}

void streams::look(bool at_rules) {
  json::object status = of_.status();
  if (!says_the_same(status, status_)) tell_all(event_text("status", of_.line(status)));
  status_ = std::move(status);
  if (!at_rules) return;
  json::object rules = of_.rules();
  if (rules != rules_) tell_all(event_text("rules", of_.line(rules)));
  rules_ = std::move(rules);
}

asio::awaitable<void> streams::run() {
  for (int turn = 0;; ++turn) {
    const bool is_heard = !listening().empty();
    if (is_heard) look(turn % rules_every == 0);
    pause_.expires_after(is_heard ? duration(status_every) : duration(comment_every));
    co_await pause_.async_wait(as_value);
  }
}

}  // namespace flipback::serve
