#include "agent/schedule/scheduler.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <thread>

using namespace flipback;
using namespace std::chrono_literals;

namespace {

/// A probe whose runs take as long as it is told, and say what they are told.
class slow final : public probe {
 public:
  slow(asio::io_context& loop, duration takes, observation says, phase at = phase::asking)
      : loop_(loop), takes_(takes), says_(std::move(says)), at_(at) {}
  [[nodiscard]] std::span<const measurement_declaration> declares() const override { return {}; }
  asio::awaitable<observation> observe(run& r) override {
    ++begun;
    r.now = at_;
    asio::steady_timer timer(loop_, takes_);
    co_await timer.async_wait(asio::use_awaitable);
    co_return says_;
  }
  int begun = 0;

 private:
  asio::io_context& loop_;
  duration takes_;
  observation says_;
  phase at_;
};

/// Lets one probe run on the scheduler for a while, and stops it.
struct trial {
  std::vector<observation> seen;
  std::vector<instant> started;
  std::vector<duration> lags;
  schedule_counts counts;

  void let_run(asio::io_context& loop, probe& p, duration every, duration timeout, duration how_long) {
    scheduler s(loop, [&](std::size_t, const run& of, const observation& o) {
      seen.push_back(o);
      started.push_back(of.started);
    });
    s.on_wake = [this](duration late) { lags.push_back(late); };
    s.add(p, every, timeout);
    s.start(duration(1));
    loop.run_for(how_long);
    loop.restart();
    bool joined = false;
    asio::co_spawn(loop, s.stop(), [&](const std::exception_ptr&) { joined = true; });
    loop.run_for(1s);
    CHECK(joined);
    counts = s.counts();
  }
};

}  // namespace

TEST_CASE("runs_start_an_interval_apart") {
  asio::io_context loop(1);
  slow p(loop, 1ms, observation::pass("ok"));
  trial t;
  t.let_run(loop, p, 50ms, 40ms, 275ms);
  CHECK(p.begun >= 5);
  CHECK(t.counts.skipped == 0);
  for (const observation& o : t.seen) CHECK(o.result == outcome::pass);
}

TEST_CASE("a_run_that_overlaps_is_skipped_and_counted_never_queued") {
  asio::io_context loop(1);
  slow p(loop, 130ms, observation::pass("ok"));
  trial t;
  t.let_run(loop, p, 50ms, 400ms, 320ms);
  CHECK(p.begun <= 3);
  CHECK(t.counts.skipped >= 3);
}

TEST_CASE("a_run_is_ended_at_its_deadline_and_says_what_it_was_doing") {
  asio::io_context loop(1);
  slow p(loop, 10s, observation::pass("never"));
  trial t;
  t.let_run(loop, p, 500ms, 30ms, 100ms);
  REQUIRE(t.seen.size() == 1);
  CHECK(t.seen[0].why == reason::timed_out);
  CHECK(t.seen[0].says == "timed out after 30ms while waiting for the answer");
  CHECK(t.counts.timed_out == 1);
}

TEST_CASE("a_deadline_in_the_name_look_up_is_unknown") {
  asio::io_context loop(1);
  slow p(loop, 10s, observation::pass("never"), phase::resolving);
  trial t;
  t.let_run(loop, p, 500ms, 30ms, 100ms);
  REQUIRE(t.seen.size() == 1);
  CHECK(t.seen[0].result == outcome::unknown);
  CHECK(t.seen[0].why == reason::no_resolver);
}

TEST_CASE("after_wrong_credentials_the_service_is_asked_ever_less_often_but_the_answer_stays_known") {
  asio::io_context loop(1);
  slow p(loop, 1ms, observation::fail(reason::unauthorised, "wrong password"));
  trial t;
  t.let_run(loop, p, 50ms, 45ms, 1s);
  CHECK(p.begun <= 5);  // at 0, 100, 300, 700 ms …
  CHECK(t.seen.size() >= 15);
  for (const observation& o : t.seen) CHECK(o.why == reason::unauthorised);
}

TEST_CASE("a_loop_that_stood_still_blames_itself_and_not_the_service") {
  asio::io_context loop(1);
  slow p(loop, 200ms, observation::pass("ok"));
  trial t;
  asio::steady_timer block(loop, 50ms);
  block.async_wait([](const boost::system::error_code&) { std::this_thread::sleep_for(800ms); });
  t.let_run(loop, p, 2s, 300ms, 1s);
  REQUIRE(t.seen.size() == 1);
  CHECK(t.seen[0].result != outcome::fail);
}

TEST_CASE("a_run_that_begins_late_has_all_of_its_time") {
  asio::io_context loop(1);
  slow p(loop, 10ms, observation::pass("ok"));
  trial t;
  asio::steady_timer block(loop, 50ms);  // for longer than a time-out, and for less than a stall
  block.async_wait([](const boost::system::error_code&) { std::this_thread::sleep_for(300ms); });
  t.let_run(loop, p, 100ms, 100ms, 600ms);
  CHECK(t.seen.size() >= 3);
  for (const observation& o : t.seen) CHECK_MESSAGE(o.result == outcome::pass, o.says);
  CHECK(t.counts.timed_out == 0);
}

TEST_CASE("each_wake_up_tells_how_late_it_came") {
  asio::io_context loop(1);
  slow p(loop, 1ms, observation::pass("ok"));
  trial t;
  asio::steady_timer block(loop, 75ms);
  block.async_wait([](const boost::system::error_code&) { std::this_thread::sleep_for(200ms); });
  t.let_run(loop, p, 50ms, 40ms, 400ms);
  REQUIRE(t.lags.size() >= 4);
  CHECK(std::ranges::min(t.lags) < 50ms);
  CHECK(std::ranges::max(t.lags) > 100ms);
  CHECK(std::ranges::max(t.lags) < 350ms);
}
