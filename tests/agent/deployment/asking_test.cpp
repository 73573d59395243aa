#include "agent/deployment/asking.hpp"

#include "agent/rollback/master_process.hpp"
#include "tests/agent/rollback/running_nginx.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <sys/resource.h>

using namespace flipback;
using namespace std::chrono_literals;
using deployment::reply;

namespace {

const char* const answers = R"(
  location = /version { return 200 '{"colour":"blue","version":"v1"}'; }
  location = /none { return 200 '{}'; }
  location = /login { return 401; }
  location = /sick { return 503; }
  location = /health { return 200 '{"status":"healthy"}'; }
  location = /cached { add_header Age 100; return 200 '{"colour":"blue","version":"v1"}'; }
)";

struct stage {
  int port = testing::free_port();
  testing::running_nginx server{
      fmt::format("log_format asked '$request_uri $http_user_agent $host'; access_log {0} asked; server {{ listen 127.0.0.1:{1}; {2} }}",
                  "asked.log", port, answers)};
  boost::asio::io_context loop{1};
  net::network network{loop.get_executor()};
  config::front_door door;
  config::slot slot;

  stage() {
    door.identity = identity_source{"", "/colour"};
    slot.url = fmt::format("http://127.0.0.1:{}", port);
  }
  reply ask(const std::string& path, const std::string& nonce = "") {
    door.url = slot.url + path;
    return testing::finished(loop, deployment::ask_front_door(network, door, nonce));
  }
  [[nodiscard]] std::string asked() const { return testing::contents(server.in / "asked.log"); }
};

}  // namespace

TEST_CASE("the_front_doors_answer_is_told_apart") {
  struct row {
    const char* path;
    reply::kind is;
    unsigned status;
    const char* identity;
  };
  const row rows[] = {
      {"/version", reply::kind::identified, 200, "blue"}, {"/none", reply::kind::anonymous, 200, ""},
      {"/login", reply::kind::anonymous, 401, ""},        {"/sick", reply::kind::failing, 503, ""},
      {"/cached", reply::kind::identified, 200, "blue"},
  };
  stage s;
  for (const row& r : rows) {
    CAPTURE(r.path);
    const reply got = s.ask(r.path);
    CHECK(got.is == r.is);
    CHECK(got.status == r.status);
    CHECK(got.identity == r.identity);
    CHECK(got.release == r.identity);
    CHECK(got.says.contains(std::to_string(r.status)));
  }
}

TEST_CASE("slots_and_releases_may_be_told_apart_by_different_fields") {
  stage s;
  s.door.release = identity_source{"", "/version"};
  CHECK(s.ask("/version").identity == "blue");
  CHECK(s.ask("/version").release == "v1");
  s.door.identity.reset();
  CHECK(s.ask("/version").is == reply::kind::identified);
  CHECK(s.ask("/version").identity == "");
  CHECK(s.ask("/version").release == "v1");
  s.door.release.reset();
  CHECK(s.ask("/version").is == reply::kind::anonymous);
}

TEST_CASE("a_question_with_a_nonce_is_found_by_its_query_and_its_agent") {
  stage s;
  s.door.host = "api.example.com";
  CHECK(s.ask("/version", "abc123").identity == "blue");
  CHECK(s.ask("/version?a=b", "abc124").identity == "blue");
  CHECK(s.ask("/version").identity == "blue");
  REQUIRE(testing::comes_true([&] { return s.asked().ends_with("/version flipback/" FLIPBACK_VERSION " api.example.com\n"); }));
  CHECK(s.asked().starts_with("/version?flipback=abc123 flipback/" FLIPBACK_VERSION " abc123 api.example.com\n"
                              "/version?a=b&flipback=abc124 flipback/" FLIPBACK_VERSION " abc124 api.example.com\n"));
}

TEST_CASE("nobody_there_is_silence_within_the_limit") {
  stage s;
  s.door.url = fmt::format("http://127.0.0.1:{}/", testing::free_port());
  CHECK(testing::finished(s.loop, deployment::ask_front_door(s.network, s.door, "")).is == reply::kind::silent);
  // One that takes the connection and never answers.
  const auto seen = rollback::workers_of(s.server.pid());
  REQUIRE(seen);
  REQUIRE(seen->accepting.size() == 1);
  ::kill(*seen->accepting.begin(), SIGSTOP);
  s.door.timeout = 100ms;
  const auto began = std::chrono::steady_clock::now();
  CHECK(s.ask("/version").is == reply::kind::silent);
  CHECK(std::chrono::steady_clock::now() - began < 5s);
  ::kill(*seen->accepting.begin(), SIGCONT);
}

TEST_CASE("a_slot_is_asked_for_its_health_and_who_it_is") {
  stage s;
  s.door.url = "http://api.example.com/version";
  const auto ask = [&] { return testing::finished(s.loop, deployment::ask_slot(s.network, s.slot, s.door)); };
  auto got = ask();
  CHECK(got.well);
  CHECK(got.self.identity == "blue");
  s.slot.health = "/sick";
  got = ask();
  CHECK_FALSE(got.well);
  CHECK(got.self.is == reply::kind::identified);
  s.slot.health = "/version";  // one question is enough
  CHECK(ask().self.identity == "blue");
  s.slot.url = fmt::format("http://127.0.0.1:{}", testing::free_port());
  got = ask();
  CHECK_FALSE(got.well);
  CHECK_FALSE(got.not_asked);
  CHECK(got.self.is == reply::kind::silent);
}

TEST_CASE("a_slot_that_we_have_no_descriptor_for_was_not_asked") {
  stage s;
  const auto ask = [&] { return testing::finished(s.loop, deployment::ask_slot(s.network, s.slot, s.door)); };
  REQUIRE(ask().well);
  rlimit all{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &all) == 0);
  const rlimit none{0, all.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  const auto got = ask();
  ::setrlimit(RLIMIT_NOFILE, &all);
  CHECK_MESSAGE(got.not_asked, got.says);
  CHECK_FALSE(got.well);
  CHECK(ask().well);
}
