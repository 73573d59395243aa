#include "agent/deployment/blame.hpp"

#include "agent/deployment/blame_asking.hpp"
#include "tests/agent/rollback/running_nginx.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <set>

using namespace flipback;
using namespace std::chrono_literals;
using deployment::blame;
using deployment::slot_did;
using deployment::tried;

namespace {

constexpr unsigned silent = 1;
constexpr unsigned unasked = 2;

slot_did did(unsigned status) {
  if (status == silent) return {slot_did::kind::failed, 0};
  if (status == unasked) return {slot_did::kind::nothing, 0};
  return {slot_did::kind::answered, status};
}

/// Statuses of the live and the stable slot to a question whose user got 500.
std::vector<tried> answers(const std::vector<std::pair<unsigned, unsigned>>& statuses, unsigned user_got = 500) {
  std::vector<tried> all;
  for (const auto& [live, stable] : statuses) all.push_back({{"GET", "/api/search?q=secret", user_got}, did(live), did(stable)});
  return all;
}

}  // namespace

TEST_CASE("the_answers_of_both_slots_say_whom_to_blame") {
  struct row {
    const char* name;
    std::vector<std::pair<unsigned, unsigned>> statuses;
    blame::kind is;
  };
  const row rows[] = {
      {"live alone fails", {{500, 200}, {502, 200}}, blame::kind::release_to_blame},
      {"live fails some of it", {{500, 200}, {200, 200}, {200, 200}, {200, 200}}, blame::kind::release_to_blame},
      {"live is dead", {{silent, 200}, {silent, 304}}, blame::kind::release_to_blame},
      {"both fail", {{500, 500}, {503, silent}}, blame::kind::both_fail},
      {"half fail on both", {{500, 500}, {500, 200}}, blame::kind::both_fail},
      {"less than half fail on both", {{500, 500}, {500, 200}, {500, 200}}, blame::kind::release_to_blame},
      {"each fails by chance what the other does", {{500, 200}, {200, 500}, {500, 500}, {200, 200}}, blame::kind::both_fail},
      {"both do well", {{200, 200}, {200, 204}}, blame::kind::both_well},
      {"a 4xx that users did not get", {{401, 401}, {401, 401}}, blame::kind::cant_tell},
      {"a 4xx of stable's is no well-being", {{500, 404}, {500, 401}}, blame::kind::cant_tell},
      {"too few answers", {{500, 200}}, blame::kind::cant_tell},
      {"less than half answered", {{500, 500}, {500, 500}, {401, 500}, {401, 401}, {unasked, unasked}}, blame::kind::cant_tell},
      {"could not be asked", {{unasked, 200}, {unasked, 200}}, blame::kind::cant_tell},
      {"stable alone fails", {{200, 500}, {200, 500}}, blame::kind::cant_tell},
      {"none", {}, blame::kind::cant_tell},
  };
  for (const row& r : rows) {
    CAPTURE(r.name);
    const blame judged = deployment::judge(answers(r.statuses), 1);
    CHECK(judged.is == r.is);
    CHECK(judged.says != "");
    CHECK_FALSE(judged.says.contains("secret"));
  }
}

TEST_CASE("a_4xx_that_users_got_is_the_failure_itself") {
  CHECK(deployment::judge(answers({{404, 200}, {404, 200}}, 404), 1).is == blame::kind::release_to_blame);
  CHECK(deployment::judge(answers({{404, 404}, {404, 404}}, 404), 1).is == blame::kind::both_fail);
}

TEST_CASE("what_may_be_asked_again_has_to_speak_for_the_errors") {
  CHECK(deployment::judge(answers({{500, 500}, {500, 500}}), 0.5).is == blame::kind::both_fail);
  CHECK(deployment::judge(answers({{500, 500}, {500, 500}}), 0.49).is == blame::kind::cant_tell);
}

TEST_CASE("questions_are_drawn_by_chance_and_change_nothing") {
  std::vector<failed_request> failed{
      {"POST", "/a", 500, ""}, {"GET", "http://x/", 500, ""}, {"GET", "/a b", 500, ""}, {"HEAD", "/h", 503, ""}};
  std::mt19937 chance(1);
  auto drawn = deployment::questions_from(failed, chance);
  REQUIRE(drawn.size() == 1);
  CHECK(drawn[0].method == "HEAD");
  CHECK(drawn[0].user_got == 503);
  // Of a hundred to one path and one each to two others, all three are asked.
  for (int i = 0; i < 100; ++i) failed.push_back({"GET", fmt::format("/often?page={}", i), 500, ""});
  failed.push_back({"GET", "/seldom", 500, ""});
  std::set<std::string> firsts;
  for (unsigned seed = 0; seed < 50; ++seed) {
    chance.seed(seed);
    drawn = deployment::questions_from(failed, chance);
    REQUIRE(drawn.size() == deployment::most_questions);
    std::set<std::string> paths;
    for (const auto& q : drawn) paths.insert(q.target.substr(0, q.target.find('?')));
    CHECK(paths == std::set<std::string>{"/h", "/often", "/seldom"});
    firsts.insert(drawn[0].target);
  }
  CHECK(firsts.size() > 10);
  CHECK(deployment::questions_from({}, chance).empty());
}

TEST_CASE("both_slots_are_asked_as_the_client_asked") {
  const int live = testing::free_port();
  const int stable = testing::free_port();
  testing::running_nginx server(
      fmt::format("log_format asked '$request_method $request_uri $host'; access_log asked.log asked;"
                  "server {{ listen 127.0.0.1:{}; return 500; }} server {{ listen 127.0.0.1:{}; return 200 well; }}",
                  live, stable));
  boost::asio::io_context loop(1);
  net::network network(loop.get_executor());
  config::slot of_live;
  of_live.url = fmt::format("http://127.0.0.1:{}/", live);
  config::slot of_stable;
  of_stable.url = fmt::format("http://127.0.0.1:{}", stable);
  std::vector<deployment::question> questions{{"GET", "/api?q=1", 500}, {"HEAD", "/x", 500}};
  const auto ask = [&] {
    return testing::finished(loop, deployment::ask_both(loop, network, of_live, of_stable, "api.example.com", questions, 2s));
  };
  auto all = ask();
  REQUIRE(all.size() == 2);
  CHECK(all[0].live.status == 500);
  CHECK(all[0].stable.status == 200);
  CHECK(all[1].live.status == 500);
  CHECK(deployment::judge(all, 1).is == blame::kind::release_to_blame);
  const auto asked = [&] { return testing::contents(server.in / "asked.log"); };
  REQUIRE(testing::comes_true([&] { return std::ranges::count(asked(), '\n') == 4; }));
  CHECK(asked().contains("GET /api?q=1 api.example.com\n"));
  CHECK(asked().contains("HEAD /x api.example.com\n"));
  of_live.url = fmt::format("http://127.0.0.1:{}", testing::free_port());
  all = ask();
  CHECK(all[0].live.is == slot_did::kind::failed);
}
