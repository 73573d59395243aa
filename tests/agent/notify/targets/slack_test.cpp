#include "../a_letter.hpp"
#include "agent/notify/targets/slack_message.hpp"
#include "agent/notify/targets/slack_text.hpp"
#include "receiver.hpp"

#include <boost/json.hpp>
#include <doctest/doctest.h>

using namespace flipback;
using namespace flipback::notify;
namespace json = boost::json;
using texts = std::vector<std::string>;

// What it stands in for: Slack's Web API, as api.slack.com/methods/chat.postMessage and chat.update document its answers.

namespace {

const std::string keys = "api = \"{url}/api\"\ntoken = \"xoxb-hunter22\"\nchannel = \"#ops\"";
const reply posted{200, R"({"ok":true,"channel":"C024BE91L","ts":"1503435956.000247","message":{"text":"…"}})"};

reply failed(std::string_view error, std::string headers = "") {
  return {200, R"({"ok":false,"error":")" + std::string(error) + "\"}", std::move(headers)};
}

std::string all_text(const json::value& blocks) {
  std::string all;
  for (const json::value& block : blocks.as_array()) {
    const json::object& b = block.as_object();
    const json::value& text = b.at("type") == "context" ? b.at("elements").at(0) : b.at("text");
    CHECK(text.at("verbatim") == true);
    CHECK(text.at("type") == "mrkdwn");
    CHECK(text.at("text").as_string().size() <= 3000);
    all += std::string(text.at("text").as_string()) + "\n";
  }
  return all;
}

}  // namespace

TEST_CASE("slack_shows_number_limit_deed_proof_and_the_command_to_type") {
  CHECK(all_text(slack::blocks_of(an_incident())) ==
        "🔴 *error-rate is breached on green with 1.5.0: 12.1% &gt; 5%*\n"
        "Users reach blue with 1.4.2: proven at 09:04:13Z.\n"
        "Type: `flipback status`: it says which slot is live\n"
        "Also ill: redis: connecting to 127.0.0.1:6379 was refused\n"
        "09:04:11Z error-rate is breached: 12.1% &gt; 5%\n"
        "09:04:12Z rolling back to blue\n"
        "Flipback · 20261127T090411.791Z · <https://ops.example.com/flipback/incidents/20261127T090411.791Z|open it>\n");
  CHECK(all_text(slack::blocks_of(ended(an_incident()))).starts_with("✅ *over after 2m4s: rolled back; error-rate is"));
}

TEST_CASE("text_from_outside_mentions_nobody_and_links_nowhere") {
  letter what = an_incident();
  what.title = "<!channel> <@U123> <https://evil.example.com|status page> & <!subteam^S1>";
  what.ill = {"redis: answered \"<!here>\""};
  what.type = "flipback approve `<!everyone>`";
  what.link = "https://ops.example.com/|<!channel>";
  const std::string all =
      all_text(slack::blocks_of(what)) + slack::summary_of(what) + slack::text_of(what) + slack::thread_text(what, what.news, true);
  CHECK(all.find('<') == std::string::npos);
  CHECK(all.contains("&lt;!channel&gt; &lt;@U123&gt; &lt;https://evil.example.com|status page&gt; &amp; "));
}

TEST_CASE("however_long_a_letter_is_slack_takes_it") {
  letter what = ended(an_incident());
  what.title = std::string(5000, '<');
  what.stands = std::string(5000, '&');
  what.ill = texts(500, std::string(400, '<'));
  what.type = std::string(5000, '>');
  what.news.assign(300, {at_second(1), std::string(300, '&')});
  what.news.push_back({at_second(2), "the newest"});
  const json::array blocks = slack::blocks_of(what);
  const std::string all = all_text(blocks);
  CHECK(blocks.size() <= 50);
  CHECK(all.size() < 13'200);
  CHECK(all.contains("the newest"));
  CHECK(slack::text_of(what).size() <= 3100);
  CHECK(slack::escaped("a<b", 5) == "a…");
  CHECK(slack::escaped("ééé", 5) == "é…");
  CHECK(slack::escaped("a<b", 6) == "a&lt;b");
}

TEST_CASE("what_is_kept_of_a_message_is_read_again") {
  const slack::message m{"C024BE91L", "1503435956.000247", at_second(2), 2};
  const auto read = slack::message_in(slack::kept_as(m));
  REQUIRE(read);
  CHECK(read->channel == m.channel);
  CHECK(read->ts == m.ts);
  CHECK(read->told == m.told);
  CHECK(read->level == 2);
  CHECK_FALSE(slack::message_in(""));
  CHECK_FALSE(slack::message_in("C1 2.3 x 1"));
}

TEST_CASE("the_first_letter_posts_and_the_next_edits_and_tells_what_is_new_in_the_thread") {
  receiver to({posted, posted, posted});
  const attempt first = to.deliver("slack", keys, an_incident());
  REQUIRE(first.is == attempt::result::delivered);
  CHECK(first.kept.starts_with("C024BE91L 1503435956.000247 "));
  const asked& post = to.requests().at(0);
  CHECK(post.target == "/api/chat.postMessage");
  CHECK(post.header("Authorization") == "Bearer xoxb-hunter22");
  CHECK(post.json().at("channel") == "#ops");
  CHECK(post.json().at("parse") == "none");
  CHECK_FALSE(post.json().as_object().contains("thread_ts"));

  const attempt second = to.deliver("slack", keys, ended(an_incident()), first.kept);
  REQUIRE(second.is == attempt::result::delivered);
  const json::value edit = to.requests().at(1).json();
  CHECK(to.requests().at(1).target == "/api/chat.update");
  CHECK(edit.at("channel") == "C024BE91L");
  CHECK(edit.at("ts") == "1503435956.000247");
  const json::value reply = to.requests().at(2).json();
  CHECK(to.requests().at(2).target == "/api/chat.postMessage");
  CHECK(reply.at("thread_ts") == "1503435956.000247");
  CHECK(reply.at("reply_broadcast") == false);
  CHECK(reply.at("text") == "09:06:15Z error-rate is ok: 0.1%");
}

TEST_CASE("where_nothing_is_new_the_thread_gets_nothing_unless_it_urges") {
  const std::string kept = slack::kept_as({"C1", "1.2", at_second(1), 1});
  receiver quiet({posted});
  CHECK(quiet.deliver("slack", keys, an_incident(), kept).kept == kept);
  CHECK(quiet.requests().size() == 1);
  for (const bool reminds : {true, false}) {
    letter urgent = an_incident();
    urgent.reminds = reminds;
    urgent.level = reminds ? 1 : 2;
    receiver to({posted, posted});
    CHECK(to.deliver("slack", keys, urgent, kept).is == attempt::result::delivered);
    const json::value reply = to.requests().at(1).json();
    CHECK(reply.at("reply_broadcast") == true);
    CHECK(std::string(reply.at("text").as_string()).contains("Type: `flipback status`"));
  }
}

TEST_CASE("a_message_that_is_gone_is_posted_anew_and_blocks_that_are_not_taken_become_text") {
  receiver to({failed("message_not_found"), posted});
  CHECK(to.deliver("slack", keys, ended(an_incident()), "C1 1.2 0 1").kept.starts_with("C024BE91L "));
  CHECK(to.requests().at(1).json().at("channel") == "#ops");
  receiver plain({failed("invalid_blocks"), posted});
  CHECK(plain.deliver("slack", keys, an_incident()).is == attempt::result::delivered);
  const json::value second = plain.requests().at(1).json();
  CHECK_FALSE(second.as_object().contains("blocks"));
  CHECK(std::string(second.at("text").as_string()).contains("Users reach blue"));
}

TEST_CASE("slacks_errors_say_whether_it_may_be_delivered_later") {
  using enum attempt::result;
  const auto came = [](const reply& with) {
    receiver to({with, with});
    return to.deliver("slack", keys, an_incident());
  };
  for (const char* later : {"ratelimited", "internal_error", "fatal_error", "service_unavailable", "invalid_auth", "token_revoked",
                            "not_in_channel", "channel_not_found", "an_error_of_tomorrow"}) {
    CHECK(came(failed(later)).is == not_yet);
  }
  for (const char* never : {"msg_too_long", "no_text", "invalid_blocks"}) CHECK(came(failed(never)).is == refused);
  CHECK(came({429, "", "Retry-After: 30\r\n"}).after == std::chrono::seconds(30));
  CHECK(came(failed("ratelimited", "Retry-After: 3\r\n")).after == std::chrono::seconds(3));
  CHECK(came(failed("not_in_channel")).says.contains("answered \"not_in_channel\": type /invite @flipback in the channel"));
  CHECK(came(failed("bad xoxb-hunter22")).says.ends_with("answered \"bad ***\""));
  CHECK(came({200, "<html>"}).says.contains(" is no Slack: "));
  CHECK(came({503, "down"}).is == not_yet);
}

TEST_CASE("an_incoming_webhook_gets_a_message_for_each_letter") {
  receiver to({{200, "ok"}, {404, "no_service"}});
  const std::string by_webhook = "webhook = \"{url}/services/T0/B0/s3cr3t\"";
  CHECK(to.deliver("slack", by_webhook, an_incident()).is == attempt::result::delivered);
  CHECK(to.requests().at(0).json().as_object().size() == 2);
  const attempt gone = to.deliver("slack", by_webhook, an_incident(), "kept");
  CHECK(gone.is == attempt::result::refused);
  CHECK(gone.says.ends_with(" answered 404, expected 2xx; it says \"no_service\""));
}

TEST_CASE("keys_of_slack_that_are_wrong_are_told") {
  CHECK(problems("slack", "") == texts{"1:1: targets.x: has neither a token with a channel nor a webhook, expected one of them"});
  CHECK(problems("slack", "token = \"xoxb-1\"") ==
        texts{"1:1: targets.x.channel: is missing, expected a channel's id such as \"C0123ABCD\", or its name"});
  CHECK(problems("slack", "webhook = \"https://hooks.slack.com/services/x\"\ntoken = \"xoxb-1\"") ==
        texts{"2:9: targets.x.token: stands beside webhook, which has all of that in it: expected one of them"});
  CHECK(problems("slack", "webhok = \"https://hooks.slack.com/services/x\"").size() == 2);
}
