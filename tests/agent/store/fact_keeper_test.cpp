#include "agent/store/fact_keeper.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

using namespace flipback;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

using result = std::expected<void, std::string>;

/// A store that fails, hangs and recovers as it is told, and remembers what was asked of it.
class faulty_store final : public fact_store {
 public:
  explicit faulty_store(asio::io_context& loop) : going_on_(loop, asio::steady_timer::time_point::max()) {}

  asio::awaitable<result> put(std::string name, std::string value) override { return take(name + "=" + value); }
  asio::awaitable<result> forget(std::string name) override { return take(name + " forgotten"); }
  void go_on() {
    hangs = false;
    going_on_.cancel();
  }

  std::string fails;  ///< with this
  bool hangs = false;
  std::vector<std::string> asked;
  std::vector<std::string> kept;
  int under_way = 0;
  int most_under_way = 0;

 private:
  asio::awaitable<result> take(std::string what) {
    asked.push_back(what);
    most_under_way = std::max(most_under_way, ++under_way);
    boost::system::error_code ignored;
    while (hangs) co_await going_on_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    --under_way;
    if (!fails.empty()) co_return std::unexpected(fails);
    kept.push_back(what);
    co_return result();
  }
  asio::steady_timer going_on_;
};

struct house {
  asio::io_context loop{1};
  asio::executor_work_guard<asio::io_context::executor_type> goes_on{loop.get_executor()};
  faulty_store store{loop};
  fact_keeper keeper{loop.get_executor(), store};
  std::vector<std::string> told;

  house() {
    keeper.tell(
        [this](const std::string& name, const fact_keeper::standing& now) { told.push_back(name + (now ? " kept" : ": " + now.error())); });
  }
  void run_until(const std::function<bool()>& met, duration limit = 10s) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!met() && std::chrono::steady_clock::now() < end) loop.run_one_for(50ms);
    REQUIRE(met());
  }
  std::string answer(asio::awaitable<result> doing) {
    std::optional<result> came;
    asio::co_spawn(loop, std::move(doing), [&](const std::exception_ptr&, result r) { came = std::move(r); });
    run_until([&] { return came.has_value(); });
    return *came ? "kept" : came->error();
  }
  std::vector<std::string> stopped() {
    std::optional<std::vector<std::string>> lost;
    asio::co_spawn(loop, keeper.stop(), [&](const std::exception_ptr&, std::vector<std::string> l) { lost = std::move(l); });
    run_until([&] { return lost.has_value(); });
    return *lost;
  }
};

using texts = std::vector<std::string>;

}  // namespace

TEST_CASE("a_fact_is_kept_and_nobody_is_told_of_what_goes_as_it_should") {
  house h;
  h.keeper.keep("latch", "shut");
  h.keeper.forget("hold");
  h.run_until([&] { return h.store.kept.size() == 2; });
  CHECK(h.stopped().empty());
  CHECK(h.told.empty());
  CHECK(h.keeper.not_kept().empty());
}

TEST_CASE("a_fact_that_can_not_be_kept_is_kept_once_it_can_be_and_both_are_told_once") {
  house h;
  h.store.fails = "full";
  h.keeper.keep("latch", "shut");
  h.run_until([&] { return h.store.asked.size() == 2; });
  CHECK(h.told == texts{"latch: full"});
  CHECK(h.keeper.not_kept().at("latch") == "full");
  h.store.fails = "read-only";
  h.run_until([&] { return h.told.size() == 2; });
  h.store.fails.clear();
  h.run_until([&] { return h.told.size() == 3; });
  CHECK(h.told == texts{"latch: full", "latch: read-only", "latch kept"});
  CHECK(h.store.kept == texts{"latch=shut"});
  CHECK(h.keeper.not_kept().empty());
  CHECK(h.stopped().empty());
}

TEST_CASE("the_newest_of_a_name_wins_and_one_write_of_it_is_under_way_at_a_time") {
  house h;
  h.store.hangs = true;
  h.keeper.keep("latch", "1");
  h.keeper.keep("seen", "1");
  h.run_until([&] { return h.store.under_way == 2; });
  for (int i = 2; i <= 5; ++i) h.keeper.keep("latch", std::to_string(i));
  h.loop.poll();
  CHECK(h.store.most_under_way == 2);
  h.store.go_on();
  h.run_until([&] { return h.store.kept.size() == 3; });
  CHECK(h.stopped().empty());
  CHECK(h.store.asked == texts{"latch=1", "seen=1", "latch=5"});
}

TEST_CASE("what_is_forgotten_after_it_could_not_be_kept_is_not_kept_after_all") {
  house h;
  h.store.fails = "full";
  h.keeper.keep("hold", "me");
  h.run_until([&] { return h.told.size() == 1; });
  h.keeper.forget("hold");
  h.store.fails.clear();
  h.run_until([&] { return !h.store.kept.empty(); });
  CHECK(h.stopped().empty());
  CHECK(h.store.kept == texts{"hold forgotten"});
}

TEST_CASE("whoever_waits_is_told_at_once_what_came_of_it") {
  house h;
  CHECK(h.answer(h.keeper.keep_now("hold", "me")) == "kept");
  CHECK(h.answer(h.keeper.forget_now("hold")) == "kept");
  h.store.fails = "full";
  const auto began = std::chrono::steady_clock::now();
  CHECK(h.answer(h.keeper.keep_now("hold", "me")) == "full");
  CHECK(std::chrono::steady_clock::now() - began < 900ms);
  h.store.fails.clear();
  h.run_until([&] { return h.store.kept.size() == 3; });
  CHECK(h.store.kept.back() == "hold=me");
  CHECK(h.stopped().empty());
}

TEST_CASE("whoever_waits_while_it_is_to_be_tried_again_has_it_tried_at_once") {
  house h;
  h.store.fails = "full";
  h.keeper.keep("hold", "1");
  h.run_until([&] { return h.told.size() == 1; });
  h.store.fails.clear();
  const auto began = std::chrono::steady_clock::now();
  CHECK(h.answer(h.keeper.keep_now("hold", "2")) == "kept");
  CHECK(std::chrono::steady_clock::now() - began < 900ms);
  CHECK(h.stopped().empty());
}

TEST_CASE("whoever_waits_for_a_store_that_hangs_is_told_so_and_it_is_kept_later") {
  house h;
  h.store.hangs = true;
  const auto began = std::chrono::steady_clock::now();
  CHECK(h.answer(h.keeper.keep_now("hold", "me")).contains("2s"));
  CHECK(std::chrono::steady_clock::now() - began < 4s);
  h.store.go_on();
  h.run_until([&] { return h.store.kept == texts{"hold=me"}; });
  CHECK(h.stopped().empty());
}

TEST_CASE("whoever_waits_is_satisfied_by_something_newer_of_that_name") {
  house h;
  h.store.hangs = true;
  h.keeper.keep("hold", "1");
  h.run_until([&] { return h.store.under_way == 1; });
  std::optional<result> came;
  asio::co_spawn(h.loop, h.keeper.keep_now("hold", "2"), [&](const std::exception_ptr&, result r) { came = std::move(r); });
  h.loop.poll();
  h.keeper.keep("hold", "3");
  h.store.go_on();
  h.run_until([&] { return came.has_value(); });
  CHECK(came->has_value());
  CHECK(h.stopped().empty());
  CHECK(h.store.kept == texts{"hold=1", "hold=3"});
}

TEST_CASE("at_the_end_it_is_tried_once_more_and_what_is_lost_is_said") {
  house h;
  h.store.fails = "full";
  h.keeper.keep("hold", "me");
  h.keeper.keep("latch", "shut");
  h.run_until([&] { return h.told.size() == 2; });
  const auto began = std::chrono::steady_clock::now();
  CHECK(h.stopped() == texts{"hold: full", "latch: full"});
  CHECK(std::chrono::steady_clock::now() - began < 1s);
  CHECK(h.store.asked.size() == 4);
  h.goes_on.reset();
  h.loop.run();  // nothing of it is left waiting
}

TEST_CASE("at_the_end_a_store_that_has_recovered_is_given_all_of_it") {
  house h;
  h.store.fails = "full";
  h.keeper.keep("hold", "me");
  h.run_until([&] { return h.told.size() == 1; });
  h.store.fails.clear();
  CHECK(h.stopped().empty());
  CHECK(h.store.kept == texts{"hold=me"});
}

TEST_CASE("at_the_end_a_store_that_hangs_is_not_waited_for") {
  house h;
  h.store.hangs = true;
  h.keeper.keep("hold", "me");
  h.loop.poll();
  const auto began = std::chrono::steady_clock::now();
  CHECK(h.stopped() == texts{"hold: the disk has not taken it"});
  CHECK(std::chrono::steady_clock::now() - began < 4s);
}

TEST_CASE("what_is_asked_for_just_as_a_write_ends_is_written_too") {
  house h;
  for (int i = 0; i < 100; ++i) {
    h.keeper.keep("seen", std::to_string(i));
    for (int steps = 0; steps < i % 5; ++steps) h.loop.poll_one();
  }
  h.run_until([&] { return !h.store.kept.empty() && h.store.kept.back() == "seen=99"; });
  CHECK(h.stopped().empty());
}

TEST_CASE("a_keeper_that_is_gone_writes_no_more") {
  asio::io_context loop(1);
  faulty_store store(loop);
  store.fails = "full";
  {
    fact_keeper keeper(loop.get_executor(), store);
    keeper.keep("hold", "me");
    loop.poll();
    CHECK(store.asked.size() == 1);
  }
  loop.run();
  CHECK(store.asked.size() == 1);
}
