#include "agent/serve/streams.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

using namespace flipback;
using namespace std::chrono_literals;
using serve::streams;
namespace asio = boost::asio;
namespace json = boost::json;

namespace {

/// An agent that stands as the test says.
struct standing {
  asio::io_context loop;
  json::object status{{"at", "noon"}, {"live", "blue"}};
  json::object rules{{"rules", json::array{}}};
  streams of{loop,
             {[this] { return status; }, [this] { return rules; }, [](const json::object& page) { return json::serialize(page) + "\n"; }}};

  void wait(duration length) {
    loop.restart();
    loop.run_for(length);
  }
  /// What comes next; nothing: nobody has anything to tell.
  std::optional<std::string> next(const std::shared_ptr<serve::feed>& of_whom) {
    const auto got = std::make_shared<std::optional<std::string>>();
    asio::co_spawn(
        loop, [](std::shared_ptr<serve::feed> from, auto into) -> asio::awaitable<void> { *into = co_await from->next(); }(of_whom, got),
        asio::detached);
    loop.restart();
    loop.poll();
    return *got;
  }
};

const std::string at_once = "event: status\ndata: {\"at\":\"noon\",\"live\":\"blue\"}\n\nevent: rules\ndata: {\"rules\":[]}\n\n";

}  // namespace

TEST_CASE("who_listens_is_told_at_once_how_it_stands_and_then_what_happens") {
  standing now;
  const auto one = now.of.open();
  CHECK(now.next(one) == at_once);
  now.of.happened(R"({"kind":"agent.ready"})");
  CHECK(now.next(one) == "event: happened\ndata: {\"kind\":\"agent.ready\"}\n\n");
  now.of.end_all();
  CHECK(now.next(one) == "");
}

TEST_CASE("there_are_only_so_many_who_listen_and_who_has_gone_makes_room") {
  standing now;
  std::vector<std::shared_ptr<serve::feed>> all;
  for (std::size_t i = 0; i < streams::most; ++i) all.push_back(now.of.open());
  CHECK(now.of.open() == nullptr);
  all.front()->end();
  all[1].reset();
  CHECK(now.of.open() != nullptr);
  const auto last = now.of.open();
  CHECK(last != nullptr);
}

TEST_CASE("who_does_not_read_is_left_and_the_others_are_not") {
  standing now;
  const auto slow = now.of.open();
  const auto quick = now.of.open();
  const std::string news(1000, 'x');
  for (std::size_t i = 0; i < streams::most_waiting / news.size() + 1; ++i) {
    now.of.happened(news);
    CHECK(now.next(quick)->size() > news.size());
  }
  CHECK(now.next(slow) == "");
}

TEST_CASE("a_status_is_another_only_where_more_than_the_time_has_changed") {
  const json::object one{{"at", "noon"}, {"deployment", json::object{{"live", "blue"}, {"window_left", 12.5}, {"next_attempt_in", 0}}}};
  json::object later{{"at", "one"}, {"deployment", json::object{{"live", "blue"}, {"window_left", 1.5}, {"next_attempt_in", 3}}}};
  CHECK(serve::says_the_same(one, later));
  later["deployment"].as_object()["live"] = "green";
  CHECK_FALSE(serve::says_the_same(one, later));
  CHECK_FALSE(serve::says_the_same(one, json::object{{"at", "noon"}}));
}

TEST_CASE("what_has_changed_is_told_and_what_has_not_is_not") {
  standing now;
  asio::cancellation_signal end;
  asio::co_spawn(now.loop, now.of.run(), asio::bind_cancellation_slot(end.slot(), asio::detached));
  const auto one = now.of.open();
  CHECK(now.next(one) == at_once);
  now.status["at"] = "one";
  now.wait(500ms);
  now.status["live"] = "green";
  now.wait(500ms);
  CHECK(now.next(one) == "event: status\ndata: {\"at\":\"one\",\"live\":\"green\"}\n\n");
  now.rules["rules"] = json::array{1};
  now.wait(1500ms);
  CHECK(now.next(one) == "event: rules\ndata: {\"rules\":[1]}\n\n");
  end.emit(asio::cancellation_type::terminal);
  now.wait(1ms);
}
