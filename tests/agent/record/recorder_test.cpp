#include "agent/record/recorder.hpp"

#include "agent/record/file_window.hpp"
#include "agent/record/record_file.hpp"
#include "rules/replay/record.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <unistd.h>

#include <filesystem>

using namespace flipback;
using namespace flipback::rules;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

catalogue one_signal() {
  catalogue all;
  all.add({"api.up", signal_kind::outcome, unit::number, 15s, 0, "api.up"});
  return all;
}

/// The entries of a file's first frame.
std::vector<replay::entry> head_of(const std::string& path) {
  auto file = file_window::of(path);
  REQUIRE(file.has_value());
  auto reader = reader_of(*file);
  auto first = reader.next();
  REQUIRE(first.has_value());
  return std::move(*first);
}

}  // namespace

TEST_CASE("a_file_alone_tells_how_the_deployment_stood_when_it_began") {
  const fs::path folder = fs::temp_directory_path() / fmt::format("flipback-recorder-{}", ::getpid());
  fs::create_directories(folder);
  const std::string path = folder / "record";
  const instant cut = std::chrono::steady_clock::now();
  std::vector<std::string> complaints;
  asio::io_context loop;
  {
    const auto stands = [&] { return recorder::standing{cut, true, "held by ann"}; };
    recorder under_test(loop, {path, 2000, 24h}, one_signal(), stands, [&](const event& e) { complaints.push_back(e.says); });
    under_test.begin(false);
    const auto script = [&]() -> asio::awaitable<void> {
      asio::steady_timer pause(loop);
      under_test.cutover(cut, false, false);
      under_test.window(cut, true);
      for (int second = 0; second < 3; ++second) {  // each second's frame fills a file of 1,000 bytes
        for (int i = 0; i < 100; ++i) under_test.add(0, {cut, cut + std::chrono::milliseconds(1 + i), 1.0, false});
        pause.expires_after(1100ms);
        co_await pause.async_wait(asio::use_awaitable);
      }
      loop.stop();
    };
    asio::co_spawn(loop, script(), asio::detached);
    asio::co_spawn(loop, under_test.run(), asio::detached);
    loop.run();
  }
  CHECK(complaints.empty());
  REQUIRE(fs::exists(record_file::older(path)));
  const auto head = head_of(path);
  REQUIRE(head.size() == 5);
  CHECK(std::get<replay::beginning>(head[0]).continues);
  CHECK(std::get<replay::cut_over>(head[2]).at == cut);
  CHECK(std::get<replay::window_changed>(head[3]).open);
  CHECK(std::get<replay::hold_changed>(head[4]).says == "held by ann");
  fs::remove_all(folder);
}

TEST_CASE("a_recorders_end_asks_nobody_how_things_stand") {
  const fs::path folder = fs::temp_directory_path() / fmt::format("flipback-recorder-end-{}", ::getpid());
  fs::create_directories(folder);
  const std::string path = folder / "record";
  const instant at = std::chrono::steady_clock::now();
  asio::io_context loop;
  auto knows = std::make_unique<std::string>("held by ann while the disk is mended");
  int asked_when_gone = 0;
  {
    const auto stands = [&] {
      asked_when_gone += knows ? 0 : 1;
      return recorder::standing{std::nullopt, false, knows ? *knows : ""};
    };
    recorder under_test(loop, {path, 2000, 24h}, one_signal(), stands, [](const event&) {});
    under_test.begin(false);
    under_test.add(0, {at, at + 1ms, 1.0, false});
    knows.reset();
  }
  CHECK(asked_when_gone == 0);
  const auto head = head_of(path);
  REQUIRE(head.size() == 3);
  CHECK(std::get<replay::hold_changed>(head[2]).says == "held by ann while the disk is mended");
  fs::remove_all(folder);
}
