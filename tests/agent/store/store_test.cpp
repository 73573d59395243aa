#include "agent/store/store.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

using namespace flipback;
namespace fs = std::filesystem;

namespace {

struct folder {
  folder() : path(fs::temp_directory_path() / ("flipback-store-" + std::to_string(::getpid()))) { fs::create_directories(path); }
  ~folder() { fs::remove_all(path); }
  [[nodiscard]] std::string file() const { return (path / "flipback.db").string(); }
  fs::path path;
};

bool kept(boost::asio::awaitable<std::expected<void, std::string>> doing) {
  boost::asio::io_context loop(1);
  bool good = false;
  boost::asio::co_spawn(loop, std::move(doing), [&](const std::exception_ptr& thrown, const std::expected<void, std::string>& done) {
    good = !thrown && done.has_value();
  });
  loop.run();
  return good;
}

}  // namespace

TEST_CASE("facts_are_there_again_after_a_restart") {
  const folder f;
  {
    store s(f.file());
    CHECK_FALSE(s.get("latch").has_value());
    CHECK(kept(s.put("latch", "shut")));
    CHECK(kept(s.put("latch", "shut again")));
    CHECK(kept(s.put("seen", "'; DROP TABLE facts; --")));
    CHECK(kept(s.record("1", "rolled back", "{}")));
  }
  store s(f.file());
  CHECK(s.get("latch") == "shut again");
  CHECK(s.get("seen") == "'; DROP TABLE facts; --");
  CHECK(kept(s.forget("latch")));
  CHECK_FALSE(s.get("latch").has_value());
}

TEST_CASE("many_writes_at_once_all_arrive") {
  const folder f;
  store s(f.file());
  boost::asio::io_context loop(1);
  int done = 0;
  for (int i = 0; i < 200; ++i) {
    boost::asio::co_spawn(loop, s.put(std::to_string(i), "x"),
                          [&](const std::exception_ptr&, const std::expected<void, std::string>& kept_it) { done += kept_it ? 1 : 0; });
  }
  loop.run();
  CHECK(done == 200);
}

TEST_CASE("a_second_agent_on_the_same_state_refuses") {
  const folder f;
  const store first(f.file());
  CHECK_THROWS_WITH_AS(store{f.file()}, doctest::Contains("another agent is running"), std::runtime_error);
}

TEST_CASE("a_file_that_is_no_database_is_an_error_that_names_it") {
  const folder f;
  std::ofstream(f.file()) << std::string(10'000, 'x');
  CHECK_THROWS_WITH_AS(store{f.file()}, doctest::Contains(f.file().c_str()), std::runtime_error);
}
