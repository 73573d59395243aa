#include "flipback/timestamp.hpp"

#include "../a_letter.hpp"
#include "receiver.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

using namespace flipback;
using namespace flipback::notify;
namespace json = boost::json;
using texts = std::vector<std::string>;

// How a real Alertmanager takes it is in tests/system/test_targets.py.

namespace {

const std::string keys = "url = \"{url}/am/\"\nsource = \"web-1\"\nlabels = { team = \"ops\" }";

json::value sent(const letter& what, const std::string& kept = "") {
  receiver to({{200, ""}});
  CHECK(to.deliver("alertmanager", keys, what, kept).is == attempt::result::delivered);
  CHECK(to.requests().at(0).target == "/am/api/v2/alerts");
  const json::array all = to.requests().at(0).json().as_array();
  REQUIRE(all.size() == 1);
  return all.front();
}

/// In how many minutes it ends by itself.
long ends_in(const json::value& alert) {
  const auto at = parse_timestamp(std::string_view(alert.at("endsAt").as_string()));
  REQUIRE(at);
  return std::chrono::round<std::chrono::minutes>(*at - std::chrono::system_clock::now()).count();
}

}  // namespace

TEST_CASE("an_alert_is_the_same_for_as_long_as_its_matter_lasts_and_ends_with_it") {
  const json::value begun = sent(an_incident());
  CHECK(begun.at("labels") == json::value{{"alertname", "FlipbackIncident"},
                                          {"instance", "web-1"},
                                          {"matter", "20261127T090411.791Z"},
                                          {"severity", "critical"},
                                          {"team", "ops"}});
  CHECK(begun.at("annotations").at("summary").as_string() == an_incident().title);
  CHECK(begun.at("annotations").at("description").as_string() == as_text(an_incident(), false));
  CHECK(begun.at("annotations").at("type").as_string() == an_incident().type);
  CHECK(begun.at("generatorURL").as_string() == an_incident().link);
  CHECK(begun.at("startsAt") == "2026-11-27T09:04:11.791Z");
  CHECK_FALSE(begun.as_object().contains("endsAt"));  // it is sent again before resolve_timeout
  letter later = ended(an_incident());
  later.severity = severity::warning;
  later.title = "error-rate was breached: 7% > 5%";
  const json::value over = sent(later, "critical");
  CHECK(over.at("labels") == begun.at("labels"));
  CHECK(over.at("startsAt") == begun.at("startsAt"));
  CHECK(over.at("endsAt") == "2026-11-27T09:07:15.791Z");  // it tells of what has lasted for `group_wait` alone
  CHECK(ends_in(sent(later)) == 1);                        // of one that is told at its end, for the first time
}

TEST_CASE("an_alert_is_sent_again_long_before_it_would_end_and_a_cutover_is_none") {
  with_target("alertmanager", "url = \"http://127.0.0.1:9093\"", [](const target& t) {
    CHECK(t.sent_again_every() == std::chrono::minutes(1));
    CHECK_FALSE(t.takes(subject::cutover));
    for (const subject s : {subject::incident, subject::alerts, subject::notice, subject::trial}) CHECK(t.takes(s));
  });
}

TEST_CASE("the_severity_of_the_first_letter_is_kept") {
  receiver to({{200, ""}, {200, ""}});
  const attempt first = to.deliver("alertmanager", keys, an_incident());
  CHECK(first.kept == "critical");
  CHECK(to.deliver("alertmanager", keys, an_incident(), first.kept).kept == "critical");
}

TEST_CASE("labels_that_are_none_are_told") {
  CHECK(problems("alertmanager", "url = \"http://127.0.0.1:9093\"\nlabels = { \"my-team\" = \"ops\", severity = \"page\" }") ==
        texts{"2:24: targets.x.labels.my-team: is no name of a label, expected letters, digits and _",
              "2:42: targets.x.labels.severity: is a label that Flipback gives, and can't be set"});
}
