#include "../a_letter.hpp"
#include "agent/notify/targets/pagerduty_event.hpp"
#include "receiver.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

using namespace flipback;
using namespace flipback::notify;
namespace json = boost::json;
using texts = std::vector<std::string>;

// What it stands in for: PagerDuty's Events API v2, as developer.pagerduty.com documents its answers.

namespace {

const std::string key = "0123456789abcdef0123456789abcdef";
const std::string keys = "url = \"{url}\"\nsource = \"web-1\"\nrouting_key = \"" + key + "\"";
const reply taken{202, R"({"status":"success","message":"Event processed","dedup_key":"x"})"};

/// The actions that a letter leads to, in order.
texts actions(const letter& what, const std::string& kept) {
  receiver to({taken, taken});
  const attempt came = to.deliver("pagerduty", keys, what, kept);
  CHECK(came.is == attempt::result::delivered);
  CHECK(came.kept == "sent");
  texts all;
  for (const asked& one : to.requests()) {
    const json::value event = one.json();
    CHECK(one.target == "/v2/enqueue");
    CHECK(event.at("routing_key").as_string() == key);
    CHECK(event.at("dedup_key") == "flipback-20261127T090411.791Z");
    all.emplace_back(event.at("event_action").as_string());
  }
  return all;
}

letter acknowledged(letter of) {
  of.acknowledged = "anna: looking at it";
  return of;
}

letter about(subject s, letter of) {
  of.about = s;
  return of;
}

}  // namespace

TEST_CASE("an_event_has_what_the_person_who_is_woken_needs") {
  const json::object event = pagerduty::event_of(an_incident(), "trigger", "web-1");
  CHECK(event == json::parse(R"({
    "event_action": "trigger",
    "dedup_key": "flipback-20261127T090411.791Z",
    "client": "Flipback",
    "client_url": "https://ops.example.com/flipback/incidents/20261127T090411.791Z",
    "links": [{"href": "https://ops.example.com/flipback/incidents/20261127T090411.791Z", "text": "what Flipback saw and did"}],
    "payload": {
      "summary": "error-rate is breached on green with 1.5.0: 12.1% > 5%",
      "source": "web-1",
      "timestamp": "2026-11-27T09:04:11.791Z",
      "severity": "critical",
      "class": "incident",
      "custom_details": {
        "how it stands": "Users reach blue with 1.4.2: proven at 09:04:13Z.",
        "type": "`flipback status`: it says which slot is live",
        "also ill": "redis: connecting to 127.0.0.1:6379 was refused",
        "what happened": "09:04:11Z error-rate is breached: 12.1% > 5%\n09:04:12Z rolling back to blue",
        "live slot": "blue",
        "its release": "1.4.2"
      }
    }
  })"));
}

TEST_CASE("the_stage_and_an_acknowledgement_say_what_becomes_of_the_alert") {
  const letter begun = an_incident();
  CHECK(actions(begun, "") == texts{"trigger"});
  CHECK(actions(begun, "sent") == texts{"trigger"});
  CHECK(actions(acknowledged(begun), "sent") == texts{"acknowledge"});
  CHECK(actions(acknowledged(begun), "") == texts{"trigger", "acknowledge"});
  CHECK(actions(ended(begun), "sent") == texts{"resolve"});
  CHECK(actions(ended(begun), "") == texts{"trigger", "resolve"});  // a rollback that is proven within a second is told, too
  CHECK(actions(about(subject::notice, begun), "") == texts{"trigger"});
  CHECK(actions(about(subject::trial, begun), "") == texts{"trigger", "resolve"});
}

TEST_CASE("a_cutover_is_a_change_and_pages_nobody") {
  receiver to({taken});
  const attempt first = to.deliver("pagerduty", keys, a_cutover());
  CHECK(first.is == attempt::result::delivered);
  CHECK(to.requests().at(0).target == "/v2/change/enqueue");
  const json::value change = to.requests().at(0).json();
  CHECK_FALSE(change.as_object().contains("event_action"));
  CHECK(change.at("payload").at("summary") == "green with 1.5.0 is live in the place of blue with 1.4.2");
  CHECK(to.deliver("pagerduty", keys, a_cutover(), first.kept).is == attempt::result::delivered);
  CHECK(to.requests().size() == 1);
}

TEST_CASE("however_long_a_letter_is_pagerduty_takes_it") {
  letter what = an_incident();
  what.matter = std::string(300, 'm');
  what.title = std::string(2000, 't');
  what.ill.assign(5000, std::string(200, '"'));
  const json::object event = pagerduty::event_of(what, "trigger", "web-1");
  CHECK(event.at("dedup_key").as_string().size() <= 255);
  CHECK(event.at("payload").at("summary").as_string().size() <= 1024);
  CHECK(json::serialize(event).size() + 100 <= 512'000);
}

TEST_CASE("a_key_that_pagerduty_refuses_is_told_without_it") {
  receiver to({{400, R"({"status":"invalid event","errors":["Invalid routing key )" + key + R"("]})"}});
  const attempt came = to.deliver("pagerduty", keys, an_incident());
  CHECK(came.is == attempt::result::refused);
  CHECK(came.says.contains("Invalid routing key ***"));
  receiver busy({{429, "", "Retry-After: 60\r\n"}});
  CHECK(busy.deliver("pagerduty", keys, an_incident()).after == std::chrono::seconds(60));
  CHECK(problems("pagerduty", "routing_key = \"s3cr3t\"") ==
        texts{"1:15: targets.x.routing_key: holds something else than the 32 letters and digits of an integration key (Events API v2)"});
  CHECK(problems("pagerduty", "") ==
        texts{"1:1: targets.x.routing_key: is missing, expected the integration key of a service's Events API v2"});
}
