#include "agent/notify/targets/access.hpp"
#include "agent/notify/targets/answered.hpp"
#include "agent/notify/targets/kinds.hpp"
#include "agent/notify/targets/slack_message.hpp"
#include "agent/notify/targets/slack_text.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace flipback::notify {

namespace {

namespace json = boost::json;

/// By the Web API: one message a matter, which each letter edits, and what is new in its thread.
class slack_channel final : public target {
 public:
  slack_channel(net::network& through, net::api_access access, std::string channel)
      : through_(through), access_(std::move(access)), channel_(std::move(channel)) {}

  [[nodiscard]] bool takes(subject) const override { return true; }

  asio::awaitable<attempt> deliver(const letter& what, const std::string& kept, run& r) override {
    net::api_session session(through_, access_, r);
    auto before = slack::message_in(kept);
    if (before) {
      const auto edited = co_await say(session, "/chat.update", json::object{{"channel", before->channel}, {"ts", before->ts}}, what);
      if (slack::must_be_posted_anew(edited.error)) before.reset();
      if (before && edited.became.is != attempt::result::delivered) co_return edited.became;
    }
    if (before) co_return co_await add_to_thread(session, *before, what);
    const auto posted = co_await say(session, "/chat.postMessage", json::object{{"channel", channel_}}, what);
    attempt made = posted.became;
    if (made.is == attempt::result::delivered)
      made.kept = slack::kept_as({posted.channel, posted.ts, slack::newest_news(what, what.began), what.level});
    co_return made;
  }

 private:
  /// The whole letter. What Slack does not take as blocks, a person gets as text.
  asio::awaitable<slack::answered> say(net::api_session& session, std::string path, json::object body, const letter& what) const {
    body["text"] = slack::summary_of(what);
    body["blocks"] = slack::blocks_of(what);
    slack::answered got = co_await call(session, path, body);
    if (slack::is_about_blocks(got.error)) {
      body.erase("blocks");
      body["text"] = slack::text_of(what);
      got = co_await call(session, path, body);
    }
    co_return got;
  }

  /// An edited message makes no sound: a reminder and an escalation are heard in the channel, too.
  asio::awaitable<attempt> add_to_thread(net::api_session& session, slack::message m, const letter& what) const {
    const bool is_urgent = what.reminds || what.level > m.level;
    std::string text = slack::thread_text(what, slack::news_since(what, m.told), is_urgent);
    m.told = slack::newest_news(what, m.told);
    m.level = what.level;
    attempt made;
    if (!text.empty()) {
      json::object body{{"channel", m.channel}, {"thread_ts", m.ts}, {"text", std::move(text)}, {"reply_broadcast", is_urgent}};
      made = (co_await call(session, "/chat.postMessage", body)).became;
    }
    if (made.is == attempt::result::delivered) made.kept = slack::kept_as(m);
    co_return made;
  }

  asio::awaitable<slack::answered> call(net::api_session& session, std::string path, json::object body) const {
    body["parse"] = "none";
    body["link_names"] = false;
    body["unfurl_links"] = false;
    body["unfurl_media"] = false;
    const auto answer = co_await session.post(std::move(path), json::serialize(body), "application/json; charset=utf-8");
    co_return slack::read_answer(answer, access_);
  }

  net::network& through_;
  net::api_access access_;
  std::string channel_;
};

/// By an incoming webhook, which can't edit: each letter is a message.
class slack_webhook final : public target {
 public:
  slack_webhook(net::network& through, net::api_access access) : through_(through), access_(std::move(access)) {}

  [[nodiscard]] bool takes(subject) const override { return true; }

  asio::awaitable<attempt> deliver(const letter& what, const std::string&, run& r) override {
    net::api_session session(through_, access_, r);
    const json::object body{{"text", slack::summary_of(what)}, {"blocks", slack::blocks_of(what)}};
    const auto answer = co_await session.post("", json::serialize(body));
    co_return attempt_of(answer, access_);
  }

 private:
  net::network& through_;
  net::api_access access_;
};

std::unique_ptr<target> by_webhook(settings::section& from, net::network& through) {
  for (const std::string_view key : {"token", "token_file", "channel", "api"}) {
    if (from.has(key)) from.report(key, "stands beside webhook, which has all of that in it: expected one of them");
  }
  net::api_access access = read_hidden_address(from, "webhook", "https://hooks.slack.com/services/T000/B000/XXXX");
  from.finish();
  return std::make_unique<slack_webhook>(through, std::move(access));
}

}  // namespace

std::unique_ptr<target> make_slack_target(settings::section& from, net::network& through) {
  if (from.has("webhook") || from.has("webhook_file")) return by_webhook(from, through);
  net::api_access access = net::read_api_access(from, "api", "https://slack.com/api");
  if (const auto token = net::read_token(from))
    access.say_bearer(*token);
  else if (!from.has("token") && !from.has("token_file"))
    from.report_here("has neither a token with a channel nor a webhook, expected one of them");
  std::string channel = from.text("channel", "");
  if (channel.empty() && !access.secrets.empty())
    from.report("channel", "is missing, expected a channel's id such as \"C0123ABCD\", or its name");
  from.finish();
  return std::make_unique<slack_channel>(through, std::move(access), std::move(channel));
}

}  // namespace flipback::notify
