#include "agent/serve/api.hpp"

#include "tests/agent/agent_at_rest.hpp"

#include <boost/asio/use_awaitable.hpp>
#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace flipback;
using serve::answer;
using serve::reply;
using serve::request;

namespace {

const std::string token = "0123456789abcdef0123";

/// An API before an agent that does nothing but note what it is asked.
struct counter {
  explicit counter(const std::string& also = "[agent]\ntoken = \"" + token + "\"\n") : agent(also) {}

  answer ask(const std::string& method, const std::string& path, const std::string& body = "", serve::headers also = {}) {
    request made{.method = method, .path = path, .query = "", .headers = {{"Host", "localhost"}}, .body = body, .from = {}, .to = {}};
    const std::size_t mark = path.find('?');
    if (mark != std::string::npos) {
      made.query = path.substr(mark + 1);
      made.path = path.substr(0, mark);
    }
    made.from = made.to = asio::ip::make_address("127.0.0.1");
    for (auto& one : also) made.headers.push_back(std::move(one));
    return agent.now(api.answer_to(made));
  }
  answer change(const std::string& path, const std::string& body, const std::string& with = token) {
    return ask("POST", path, body, {{"Authorization", "Bearer " + with}, {"Content-Type", "application/json"}});
  }

  test::agent_at_rest agent;
  std::vector<serve::demand> asked;
  reply becomes{true, "it is so\n"};
  incident::traces seen;
  serve::api api{agent.loop,
                 {[this]() -> generation& { return *agent.of; },
                  [this](serve::demand what) -> asio::awaitable<reply> {
                    asked.push_back(std::move(what));
                    co_return becomes;
                  },
                  [] { return serve::on_record{}; }, [] { return std::string("# metrics\n"); },
                  [this]() -> const incident::traces& { return seen; }, [](std::string text) { return text; }}};
};

std::string type_of_problem(const answer& made) {
  CHECK(made.type == "application/problem+json");
  CHECK(boost::json::parse(made.body).at("status").as_int64() == made.status);
  return made.body;
}

}  // namespace

TEST_CASE("what_is_refused_is_asked_of_nobody") {
  counter at;
  CHECK(at.change("/api/v1/rollback", R"({"reason": "CVE"})", token + "x").status == 401);
  CHECK(at.change("/api/v1/rollback", R"({"reson": "CVE"})").status == 422);
  CHECK(at.change("/api/v1/rollback", "nonsense").status == 400);
  CHECK(at.change("/api/v1/rollback/", "{}").status == 404);
  CHECK(at.ask("GET", "/api/v1/rollback").status == 405);
  CHECK(at.ask("POST", "/api/v1/status").status == 405);
  CHECK(at.ask("GET", "/api/v1/status", "", {{"Host", "localhost"}}).status == 421);
  CHECK(at.ask("GET", "/api/v1/incidents/last?format=html").status == 400);
  CHECK(at.asked.empty());
  CHECK(at.change("/api/v1/rollback", R"({"reason": "CVE"})").status == 200);
  REQUIRE(at.asked.size() == 1);
  CHECK(at.asked[0].verb == "rollback");
  CHECK(at.asked[0].by == "HTTP API, from 127.0.0.1");
}

TEST_CASE("what_became_of_a_change_is_its_answer") {
  counter at;
  CHECK(at.change("/api/v1/unhold", "").body == "{\"done\":true,\"says\":\"it is so\"}\n");
  at.becomes = {false, "nothing is held\n"};
  answer made = at.change("/api/v1/unhold", "");
  CHECK(made.status == 409);
  CHECK(type_of_problem(made).find("\"nothing is held\"") != std::string::npos);
  at.becomes.wrong = true;
  made = at.change("/api/v1/unhold", "");
  CHECK(made.status == 422);
  type_of_problem(made);
  made = at.ask("GET", "/api/v1/rules/none");
  CHECK(made.status == 404);
  CHECK(at.asked.back().values.at("rule") == "none");
}

TEST_CASE("an_incident_is_told_in_the_format_that_is_asked_for") {
  counter at;
  CHECK(at.ask("GET", "/api/v1/incidents/last").type == "application/json");
  CHECK(at.ask("GET", "/api/v1/incidents/last?x=1&format=svg").type == "image/svg+xml");
  CHECK(at.asked.back().values == std::map<std::string, std::string>{{"incident", "last"}, {"svg", "yes"}});
  CHECK(at.ask("GET", "/api/v1/incidents/a%2fb?format=markdown").type == "text/markdown; charset=utf-8");
  CHECK(at.asked.back().values.at("incident") == "a/b");
}

TEST_CASE("a_session_says_who_may_change_something") {
  counter at;
  const auto may_change = [](const answer& made) { return boost::json::parse(made.body).at("may_change").as_bool(); };
  CHECK_FALSE(may_change(at.ask("GET", "/api/v1/session")));
  CHECK(may_change(at.ask("GET", "/api/v1/session", "", {{"Authorization", "Bearer " + token}})));
  counter without("");
  CHECK_FALSE(may_change(without.ask("GET", "/api/v1/session", "", {{"Authorization", "Bearer "}})));
}

TEST_CASE("only_so_many_listen_and_who_asks_for_the_head_alone_is_none_of_them") {
  counter at;
  for (std::size_t i = 0; i < 2 * serve::streams::most; ++i) CHECK_FALSE(at.ask("HEAD", "/api/v1/events").followed_by);
  std::vector<answer> all;
  for (std::size_t i = 0; i < serve::streams::most; ++i) all.push_back(at.ask("GET", "/api/v1/events"));
  CHECK(all.back().followed_by);
  CHECK(at.ask("GET", "/api/v1/events").status == 429);
}

TEST_CASE("no_answer_of_the_api_is_kept_anywhere") {
  counter at;
  for (const char* path : {"/api/v1/status", "/api/v1/nothing", "/api/v1/openapi.json"}) {
    const answer made = at.ask("GET", path);
    CHECK(std::ranges::count(made.headers, std::pair<std::string, std::string>("Cache-Control", "no-store")) == 1);
  }
}
