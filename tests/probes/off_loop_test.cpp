#include "probes/off_loop.hpp"

#include "probes/files/disk_probe.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include <future>
#include <optional>
#include <stdexcept>
#include <thread>

using namespace flipback;
using namespace std::chrono_literals;

namespace {

/// A file system that answers when it is let go.
class hung {
 public:
  ~hung() { let_go(); }
  void let_go() {
    if (!std::exchange(gone_, true)) promise_.set_value();
  }
  /// What a thread may wait on, however long this object lives.
  [[nodiscard]] std::shared_future<void> answer() const { return answer_; }

 private:
  std::promise<void> promise_;
  std::shared_future<void> answer_ = promise_.get_future().share();
  bool gone_ = false;
};

/// Runs an operation on the loop until it ends, or for a while and then cancels it.
template <typename T>
struct trial {
  std::optional<T> value;
  bool cancelled = false;
  std::exception_ptr thrown;

  trial(asio::io_context& loop, asio::awaitable<T> operation, duration patience = 5s) {
    asio::cancellation_signal cancel;
    bool ended = false;
    asio::co_spawn(loop, std::move(operation), asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr e, T v) {
                     ended = true;
                     thrown = std::move(e);
                     if (!thrown) value = std::move(v);
                   }));
    const auto run = [&](duration how_long) {
      loop.restart();
      const auto until = std::chrono::steady_clock::now() + how_long;
      while (!ended && std::chrono::steady_clock::now() < until) loop.run_one_for(1ms), loop.restart();
    };
    run(patience);
    if (ended) return;
    cancelled = true;
    cancel.emit(asio::cancellation_type::terminal);
    run(1s);
    CHECK(ended);
  }
};

using number = net::result<int>;

std::function<number()> waits_for(const hung& on) {
  return [answer = on.answer()]() -> number {
    answer.wait();
    return 7;
  };
}

}  // namespace

TEST_CASE("a_look_gives_what_it_gives_on_another_thread") {
  asio::io_context loop(1);
  off_loop looks(loop.get_executor());
  const auto here = std::this_thread::get_id();
  for (int i = 0; i < 100; ++i) {
    const trial<number> t(loop, looks.look<int>("/data", [=]() -> number { return std::this_thread::get_id() == here ? -1 : i; }));
    REQUIRE(t.value);
    REQUIRE(*t.value);
    CHECK(**t.value == i);
  }
}

TEST_CASE("what_a_look_throws_reaches_who_waits_for_it") {
  asio::io_context loop(1);
  off_loop looks(loop.get_executor());
  const trial<number> t(loop, looks.look<int>("/data", []() -> number { throw std::runtime_error("a bug"); }));
  REQUIRE(t.thrown);
  CHECK_THROWS_WITH(std::rethrow_exception(t.thrown), "a bug");
  CHECK_FALSE(looks.hangs());
}

TEST_CASE("who_waits_for_a_look_that_hangs_can_be_cancelled") {
  asio::io_context loop(1);
  off_loop looks(loop.get_executor());
  const hung disk;
  const trial<number> t(loop, looks.look<int>("/data", waits_for(disk)), 50ms);
  CHECK(t.cancelled);
  REQUIRE(t.thrown);
  CHECK_THROWS_AS(std::rethrow_exception(t.thrown), boost::system::system_error);
}

TEST_CASE("while_a_look_hangs_no_other_begins_and_what_hangs_is_named") {
  asio::io_context loop(1);
  off_loop looks(loop.get_executor());
  const hung disk;
  trial<number>(loop, looks.look<int>("/data", waits_for(disk)), 20ms);
  bool begun = false;
  for (int i = 0; i < 3; ++i) {
    const trial<number> t(loop, looks.look<int>("/other", [&]() -> number {
      begun = true;
      return 1;
    }));
    REQUIRE(t.value);
    REQUIRE_FALSE(*t.value);
    CHECK(t.value->error().why == reason::timed_out);
    CHECK(t.value->error().says == "/data: a look begun 0s ago has not ended");
  }
  CHECK_FALSE(begun);
}

TEST_CASE("once_a_look_that_hung_ends_the_next_gives_its_own_answer") {
  asio::io_context loop(1);
  off_loop looks(loop.get_executor());
  hung disk;
  trial<number>(loop, looks.look<int>("/data", waits_for(disk)), 20ms);
  disk.let_go();
  for (int i = 0; i < 500 && looks.hangs(); ++i) {
    std::this_thread::sleep_for(10ms);
    loop.restart();
    loop.poll();
  }
  const trial<number> t(loop, looks.look<int>("/data", []() -> number { return 8; }));
  REQUIRE(t.value);
  REQUIRE(*t.value);
  CHECK(**t.value == 8);
}

TEST_CASE("a_look_that_hangs_holds_no_end_up_and_may_end_after_the_loop") {
  hung disk;
  std::weak_ptr<int> used;
  const auto begun = std::chrono::steady_clock::now();
  {
    asio::io_context loop(1);
    off_loop looks(loop.get_executor());
    auto owned = std::make_shared<int>(7);
    used = owned;
    trial<number>(loop,
                  looks.look<int>("/data",
                                  [owned = std::move(owned), answer = disk.answer()]() -> number {
                                    answer.wait();
                                    return *owned;
                                  }),
                  20ms);
  }
  CHECK(std::chrono::steady_clock::now() - begun < 1s);
  CHECK_FALSE(used.expired());
  disk.let_go();
  for (int i = 0; i < 500 && !used.expired(); ++i) std::this_thread::sleep_for(10ms);
  CHECK(used.expired());
}

TEST_CASE("a_disk_probe_names_the_path_that_hangs_and_measures_nothing_meanwhile") {
  asio::io_context loop(1);
  const hung disk;
  const auto probe = files::make_disk_probe(loop.get_executor(), {{"/", "/mnt/nfs", "/data"}, {}},
                                            [answer = disk.answer()](const std::string& path) -> net::result<files::space> {
                                              if (path == "/mnt/nfs") answer.wait();
                                              return files::space{0.5, 1024, {}};
                                            });
  run first{};
  CHECK(trial<observation>(loop, probe->observe(first), 50ms).cancelled);
  CHECK(first.part == "/mnt/nfs");
  run second{};
  const trial<observation> t(loop, probe->observe(second));
  REQUIRE(t.value);
  CHECK(t.value->why == reason::timed_out);
  CHECK(t.value->says == "/mnt/nfs: a look begun 0s ago has not ended");
  CHECK(t.value->measurements.empty());
}

TEST_CASE("a_disk_probe_measures_the_least_of_all_paths") {
  asio::io_context loop(1);
  const auto look = [](const std::string& path) -> net::result<files::space> {
    if (path == "/gone") return std::unexpected(net::failure{reason::absent, "/gone does not exist"});
    if (path == "/full") return files::space{0.1, 2048, 0.9};
    return files::space{0.5, 1024, 0.2};
  };
  run r{};
  const auto both = files::make_disk_probe(loop.get_executor(), {{"/", "/full"}, {}}, look);
  const trial<observation> t(loop, both->observe(r));
  REQUIRE(t.value);
  CHECK(t.value->result == outcome::pass);
  CHECK(t.value->says == "the least of 2: /full has 2KiB free, 10%, 20% of inodes");
  REQUIRE(t.value->measurements.size() == 3);
  CHECK(std::get<double>(t.value->measurements[0].value) == 0.1);
  CHECK(std::get<double>(t.value->measurements[1].value) == 2048);
  CHECK(std::get<double>(t.value->measurements[2].value) == 0.2);

  const auto strict = files::make_disk_probe(loop.get_executor(), {{"/", "/full"}, 0.15}, look);
  const trial<observation> fails(loop, strict->observe(r));
  CHECK(fails.value->why == reason::expectation);
  CHECK(fails.value->says == "/full has 2KiB free, 10%, expected at least 15%");
  CHECK(fails.value->measurements.size() == 3);

  const auto gone = files::make_disk_probe(loop.get_executor(), {{"/gone", "/full"}, {}}, look);
  const trial<observation> absent(loop, gone->observe(r));
  CHECK(absent.value->why == reason::absent);
  CHECK(absent.value->measurements.empty());
}
