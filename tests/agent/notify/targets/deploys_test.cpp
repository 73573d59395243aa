#include "../a_letter.hpp"
#include "receiver.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

using namespace flipback;
using namespace flipback::notify;
namespace json = boost::json;
using texts = std::vector<std::string>;
using enum attempt::result;

// What it stands in for, as each documents its answers: Sentry's releases and deploys (docs.sentry.io/api/releases), GitHub's deployments
// and their statuses (docs.github.com/rest/deployments), Grafana's annotations (grafana.com/docs: HTTP API, annotations).

namespace {

const std::string sentry = "url = \"{url}\"\ntoken = \"hunter22\"\norganization = \"acme\"\nprojects = [\"api\"]";
const std::string github = "api = \"{url}\"\ntoken = \"hunter22\"\nrepository = \"acme/api\"\nref = \"v{release}\"";
const std::string grafana = "url = \"{url}/grafana\"\ntoken = \"hunter22\"\ntags = [\"prod\"]";

/// What was asked, a line each.
texts lines(const receiver& of) {
  texts all;
  for (const asked& one : of.requests()) all.push_back(one.method + " " + one.target);
  return all;
}

letter a_rollback() {
  letter made = a_cutover(true);
  std::swap(made.live, made.previous);
  std::swap(made.release, made.previous_release);
  made.title = "rolled back to blue with 1.4.2";
  made.link = "https://ops.example.com/";
  return made;
}

}  // namespace

TEST_CASE("sentry_gets_a_deploy_of_the_release_that_is_live_once") {
  receiver to({{208}, {200, "[]"}, {201}});
  CHECK(to.deliver("sentry", sentry, a_rollback()).is == delivered);
  CHECK(lines(to) == texts{"POST /api/0/organizations/acme/releases/", "GET /api/0/organizations/acme/releases/1.4.2/deploys/",
                           "POST /api/0/organizations/acme/releases/1.4.2/deploys/"});
  CHECK(to.requests()[0].json() == json::value{{"version", "1.4.2"}, {"projects", {"api"}}});
  CHECK(to.requests()[0].header("Authorization") == "Bearer hunter22");
  CHECK(to.requests()[2].json() == json::value{{"environment", "production"},
                                               {"name", "cutover-20261127T090411.791Z/1"},
                                               {"dateFinished", "2026-11-27T09:04:11.791Z"},
                                               {"url", "https://ops.example.com/"}});
  receiver again({{208}, {200, R"([{"name": "cutover-20261127T090411.791Z/1"}])"}});
  CHECK(again.deliver("sentry", sentry, a_rollback()).is == delivered);
  CHECK(again.requests().size() == 2);
  receiver refuses({{403, R"({"detail":"You do not have permission"})"}});
  CHECK(refuses.deliver("sentry", sentry, a_cutover()).is == not_yet);
}

TEST_CASE("what_runs_there_must_be_known_to_be_told") {
  letter unknown = a_cutover();
  unknown.release.clear();
  receiver none({});
  CHECK(none.deliver("sentry", sentry, unknown).is == refused);
  CHECK(none.deliver("github", github, unknown).is == refused);
  CHECK(none.requests().empty());
}

TEST_CASE("github_is_told_success_of_what_goes_live_and_failure_of_what_is_rolled_back") {
  receiver to({{200, R"([{"id": 42}])"}, {201}});
  CHECK(to.deliver("github", github, a_cutover()).is == delivered);
  CHECK(lines(to) == texts{"GET /repos/acme/api/deployments?ref=v1.5.0&environment=production&per_page=1",
                           "POST /repos/acme/api/deployments/42/statuses"});
  CHECK(to.requests()[1].json().at("state") == "success");
  CHECK(to.requests()[1].header("Accept") == "application/vnd.github+json");

  letter back = a_rollback();
  back.title = std::string(300, 'x');
  receiver rolled({{200, R"([{"id": 42}])"}, {201}, {200, R"([{"id": 41}])"}, {201}});
  CHECK(rolled.deliver("github", github, back).is == delivered);
  const json::value failed = rolled.requests()[1].json();
  CHECK(rolled.requests()[1].target == "/repos/acme/api/deployments/42/statuses");
  CHECK(failed.at("state") == "failure");
  CHECK(failed.at("log_url") == "https://ops.example.com/");
  CHECK(failed.at("description").as_string().size() <= 140);
  CHECK(rolled.requests()[2].target.contains("ref=v1.4.2"));
  CHECK(rolled.requests()[3].json().at("state") == "success");
}

TEST_CASE("a_release_without_a_deployment_at_github_is_told_as_that") {
  receiver none({{200, "[]"}});
  const attempt came = none.deliver("github", github, a_cutover());
  CHECK(came.is == refused);
  CHECK(came.says == "acme/api has no deployment of v1.5.0 to production");
  // One that is rolled back without one does not keep the other from being told.
  receiver half({{200, "[]"}, {200, R"([{"id": 41}])"}, {201}});
  CHECK(half.deliver("github", github, a_rollback()).is == delivered);
  receiver hidden({{404, R"({"message":"Not Found"})"}});
  CHECK(hidden.deliver("github", github, a_cutover()).says.contains("answered 404"));
}

TEST_CASE("grafana_gets_one_annotation_a_matter_which_ends_with_it") {
  receiver to({{200, "[]"}, {200, R"({"message":"Annotation added","id":7})"}, {200, R"({"message":"Annotation patched"})"}});
  letter what = an_incident();
  what.title = "<script>";
  const attempt first = to.deliver("grafana", grafana, what);
  CHECK(first.is == delivered);
  CHECK(first.kept == "7");
  CHECK(to.deliver("grafana", grafana, ended(an_incident()), first.kept).kept == "7");
  CHECK(lines(to) == texts{"GET /grafana/api/annotations?limit=1&tags=20261127T090411.791Z", "POST /grafana/api/annotations",
                           "PATCH /grafana/api/annotations/7"});
  const json::value posted = to.requests()[1].json();
  CHECK(posted.at("time") == 1795770251791);
  CHECK_FALSE(posted.as_object().contains("timeEnd"));
  CHECK(posted.at("tags") == json::value{"flipback", "incident", "20261127T090411.791Z", "prod"});
  CHECK(std::string(posted.at("text").as_string()).starts_with("&lt;script&gt;<br>Users reach blue"));
  CHECK(to.requests()[2].json().at("timeEnd") == 1795770375791);
}

TEST_CASE("an_annotation_whose_answer_was_lost_is_found_and_one_that_is_gone_is_made_anew") {
  receiver found({{200, R"([{"id": 7}])"}, {200}});
  CHECK(found.deliver("grafana", grafana, an_incident()).kept == "7");
  CHECK(lines(found)[1] == "PATCH /grafana/api/annotations/7");
  receiver gone({{404}, {200, R"({"id":8})"}});
  CHECK(gone.deliver("grafana", grafana, an_incident(), "7").kept == "8");
  receiver down({{502}});
  CHECK(down.deliver("grafana", grafana, an_incident(), "7").is == not_yet);
}

TEST_CASE("a_trial_asks_whether_the_token_may_and_makes_no_deploy_of_anything") {
  letter trial = a_cutover();
  trial.about = subject::trial;
  receiver organisation({{200, "[]"}});
  CHECK(organisation.deliver("sentry", sentry, trial).is == delivered);
  CHECK(lines(organisation) == texts{"GET /api/0/organizations/acme/releases/?per_page=1"});
  receiver repository({{200, "[]"}, {401, R"({"message":"Bad credentials"})"}});
  CHECK(repository.deliver("github", github, trial).is == delivered);
  CHECK(lines(repository) == texts{"GET /repos/acme/api/deployments?per_page=1"});
  CHECK(repository.deliver("github", github, trial).says.contains("answered 401"));
}

TEST_CASE("each_takes_what_means_something_there") {
  with_target("sentry", "token = \"x\"\norganization = \"acme\"\nprojects = \"api\"", [](const target& t) {
    CHECK(t.takes(subject::cutover));
    CHECK_FALSE(t.takes(subject::incident));
  });
  with_target("github", "token = \"x\"\nrepository = \"acme/api\"", [](const target& t) {
    CHECK(t.takes(subject::cutover));
    CHECK_FALSE(t.takes(subject::alerts));
  });
  with_target("grafana", "url = \"http://127.0.0.1\"\ntoken = \"x\"", [](const target& t) {
    CHECK(t.takes(subject::incident));
    CHECK_FALSE(t.takes(subject::notice));
  });
}

TEST_CASE("keys_that_are_missing_or_wrong_are_told") {
  CHECK(problems("sentry", "").size() == 3);
  CHECK(problems("github", "").size() == 2);
  CHECK(problems("github", "token = \"x\"\nrepository = \"acme\"\nref = \"main\"").size() == 2);
  CHECK(problems("grafana", "url = \"http://127.0.0.1\"") ==
        texts{"1:1: targets.x: has neither a token nor a user with a password, expected one of them"});
}
