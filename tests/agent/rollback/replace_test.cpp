#include "agent/rollback/replace.hpp"

#include "agent/rollback/file_image.hpp"
#include "tests/agent/rollback/files.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <thread>

using namespace flipback::rollback;
namespace fs = std::filesystem;
using flipback::test::folder;
using flipback::test::regular;

TEST_CASE("either_way_the_path_says_the_new_and_the_old_is_kept") {
  for (const step_kind how : {step_kind::exchange, step_kind::rename}) {
    const folder f;
    const std::string path = f.write("live", "old");
    const ino_t was = flipback::test::looked_at(path).st_ino;
    CHECK(replace(path, f.write("new", "new"), f.path("kept"), regular("old"), how).is == put_result::kind::done);
    CHECK(f.text("live") == "new");
    CHECK(f.text("kept") == "old");
    CHECK(flipback::test::looked_at(f.path("kept")).st_ino == was);
    // What is kept comes back, and what it takes the place of is kept instead.
    CHECK(replace(path, f.path("kept"), f.path("kept"), regular("new"), how).is == put_result::kind::done);
    CHECK(f.text("live") == "old");
    CHECK(f.text("kept") == "new");
    CHECK(flipback::test::looked_at(path).st_ino == was);
    CHECK(f.names() == std::set<std::string>{"live", "kept"});
  }
}

TEST_CASE("either_way_what_is_not_expected_is_left") {
  for (const step_kind how : {step_kind::exchange, step_kind::rename}) {
    const folder f;
    const std::string path = f.write("live", "theirs");
    CHECK(replace(path, f.write("new", "new"), f.path("kept"), regular("old"), how).is == put_result::kind::foreign);
    CHECK(f.text("live") == "theirs");
    CHECK(f.names() == std::set<std::string>{"live", "new"});
  }
}

TEST_CASE("what_somebody_writes_in_the_very_last_instant_is_never_lost") {
  struct {
    std::string name;
    bool is_there;
    std::function<put_result(const folder&)> step;
  } const cases[] = {
      {"replace", true,
       [](const folder& f) { return replace(f.path("live"), f.path("new"), f.path("kept"), regular("old"), step_kind::exchange); }},
      {"vanish", true, [](const folder& f) { return vanish(f.path("live"), f.path("kept"), regular("old")); }},
      {"appear", false, [](const folder& f) { return appear(f.path("live"), f.path("new")); }},
  };
  for (const auto& c : cases) {
    CAPTURE(c.name);
    const folder f;
    constexpr int rounds = 400;
    std::atomic<int> round = 0;
    std::atomic<int> written = 0;
    std::thread person([&] {
      for (int r = 1; r <= rounds; ++r) {
        while (round.load() < r) std::this_thread::yield();
        for (volatile int wait = 0; wait < (r * 37) % 4000; wait = wait + 1) {
        }
        ::rename(f.path("theirs").c_str(), f.path("live").c_str());
        written = r;
      }
    });
    int lost = 0;
    for (int r = 1; r <= rounds; ++r) {
      f.write("live", "old");
      if (!c.is_there) ::unlink(f.path("live").c_str());
      f.write("new", "new");
      f.write("theirs", "theirs");
      round = r;
      c.step(f);
      while (written.load() < r) std::this_thread::yield();
      lost += f.text("live") == "theirs" ? 0 : 1;
    }
    person.join();
    CHECK(lost == 0);
    CHECK_FALSE(fs::exists(f.at / ".live.flipback-theirs"));
  }
}
