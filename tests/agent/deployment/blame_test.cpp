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
      {"live alone fails", {{500, 200}, {502, 200}}, blame::kind::unsure},
      {"live fails some of it", {{500, 200}, {200, 200}, {200, 200}, {200, 200}}, blame::kind::unsure},
      {"live is dead", {{silent, 200}, {silent, 304}}, blame::kind::unsure},
      {"both fail", {{500, 500}, {503, silent}}, blame::kind::both_fail},
      {"half fail on both", {{500, 500}, {500, 200}}, blame::kind::both_fail},
      {"less than half fail on both", {{500, 500}, {500, 200}, {500, 200}}, blame::kind::unsure},
      {"each fails by chance what the other does", {{500, 200}, {200, 500}, {500, 500}, {200, 200}}, blame::kind::both_fail},
      {"both do well", {{200, 200}, {200, 204}}, blame::kind::both_well},
      {"a 4xx that users did not get", {{401, 401}, {401, 401}}, blame::kind::cant_tell},
      {"a 4xx of stable's is no well-being", {{500, 404}, {500, 401}}, blame::kind::cant_tell},
      {"too few answers", {{500, 200}}, blame::kind::cant_tell},
      {"less than half answered", {{500, 500}, {500, 500}, {401, 500}, {401, 401}, {unasked, unasked}}, blame::kind::cant_tell},
      {"could not be asked", {{unasked, 200}, {unasked, 200}}, blame::kind::cant_tell},
      {"stable alone fails", {{200, 500}, {200, 500}}, blame::kind::unsure},
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

TEST_CASE("what_the_live_slot_alone_fails_convicts_the_release_once_chance_would_not_do_it") {
  const auto round = [](unsigned live_alone, unsigned stable_alone) {
    std::vector<std::pair<unsigned, unsigned>> statuses(8, {200, 200});
    for (unsigned i = 0; i < live_alone; ++i) statuses.at(i).first = 500;
    for (unsigned i = 0; i < stable_alone; ++i) statuses.at(7 - i).second = 500;
    return deployment::judge(answers(statuses), 1);
  };
  deployment::blame_evidence all;
  CHECK(all.add(round(8, 0)).is == blame::kind::unsure);  // of slots that fail half of all alike, one round in some hundred
  const blame second = all.add(round(3, 0));
  CHECK(second.is == blame::kind::release_to_blame);
  CHECK(second.says.contains("the stable slot does 3 of 8 failed requests well that the live one fails (GET"));
  for (const blame::kind is : {blame::kind::unsure, blame::kind::unsure, blame::kind::both_well, blame::kind::both_well})
    CHECK(all.add(round(0, 0)).is == is);  // what it says is what was seen last
  CHECK(all.add(round(0, 5)).is == blame::kind::both_fail);
  CHECK(all.add(round(1, 0)).says.contains("the live one alone 12 times, the stable one alone 5 times"));
  // An outage of hours, and then the release's own fault: the same few rounds.
  for (int i = 0; i < 1000; ++i) CHECK(all.add(round(2, 2)).is == blame::kind::both_fail);
  int rounds = 0;
  while (all.add(round(8, 0)).is != blame::kind::release_to_blame) ++rounds;
  CHECK(rounds == 2);
}

TEST_CASE("slots_that_fail_alike_are_told_from_a_release_that_fails_alone") {
  std::mt19937 chance(1);
  const auto first_said = [&](double live, double stable) {
    deployment::blame_evidence all;
    for (;;) {
      std::vector<std::pair<unsigned, unsigned>> statuses;
      for (int i = 0; i < 8; ++i) {
        const auto status = [&](double share) { return std::uniform_real_distribution<>(0, 1)(chance) < share ? 500U : 200U; };
        statuses.emplace_back(status(live), status(stable));
      }
      const blame::kind is = all.add(deployment::judge(answers(statuses), 1)).is;
      if (is == blame::kind::release_to_blame || is == blame::kind::both_fail) return is;
    }
  };
  int wrong = 0;
  int missed = 0;
  for (const double share : {0.05, 0.15, 0.3, 0.5, 0.7, 0.95}) {
    for (int i = 0; i < 1000; ++i) wrong += first_said(share, share) == blame::kind::release_to_blame ? 1 : 0;
    for (int i = 0; i < 1000; ++i) missed += first_said(share, 0) == blame::kind::both_fail ? 1 : 0;
  }
  CHECK(wrong <= 12);
  CHECK(missed == 0);
}

TEST_CASE("a_4xx_that_users_got_is_the_failure_itself") {
  CHECK(deployment::judge(answers({{404, 200}, {404, 200}}, 404), 1).is == blame::kind::unsure);
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
  CHECK(deployment::judge(all, 1).live_alone == 2);
  const auto asked = [&] { return testing::contents(server.in / "asked.log"); };
  REQUIRE(testing::comes_true([&] { return std::ranges::count(asked(), '\n') == 4; }));
  CHECK(asked().contains("GET /api?q=1 api.example.com\n"));
  CHECK(asked().contains("HEAD /x api.example.com\n"));
  of_live.url = fmt::format("http://127.0.0.1:{}", testing::free_port());
  all = ask();
  CHECK(all[0].live.is == slot_did::kind::failed);
}
