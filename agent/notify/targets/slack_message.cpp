#include "agent/notify/targets/slack_message.hpp"

#include "flipback/quoted.hpp"
#include "flipback/unix_milliseconds.hpp"

#include "agent/notify/targets/answered.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <sstream>

namespace flipback::notify::slack {

namespace {

using std::chrono::milliseconds;
using words = std::initializer_list<std::string_view>;

bool is_one_of(std::string_view error, words all) {
  return std::ranges::find(all, error) != all.end();
}

/// Of the letter itself, so that it would never be taken. Everything else is a matter of time (ratelimited, internal_error, fatal_error,
/// service_unavailable) or of somebody who mends it (invalid_auth, token_revoked, not_in_channel, channel_not_found).
bool is_of_the_letter(std::string_view error) {
  return is_about_blocks(error) || is_one_of(error, {"msg_too_long", "no_text", "invalid_arguments", "invalid_array_arg"});
}

std::string advice_for(std::string_view error) {
  if (is_one_of(error, {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"}))
    return ": it does not take the token; make a new one and put it into the configuration";
  if (error == "missing_scope") return ": the token lacks the scope chat:write";
  if (error == "not_in_channel") return ": type /invite @flipback in the channel, with the name of the app that the token is of";
  if (error == "channel_not_found") return ": no such channel, or it is private and the app is not in it; a channel's id (C…) is safest";
  if (error == "is_archived") return ": the channel is archived";
  return "";
}

std::string text_at(const net::json_document& in, std::string_view pointer) {
  return net::text_at(in, pointer).value_or("");
}

}  // namespace

std::string kept_as(const message& m) {
  const auto told = std::chrono::floor<milliseconds>(m.told.time_since_epoch()).count();
  return fmt::format("{} {} {} {}", m.channel, m.ts, told, m.level);
}

std::optional<message> message_in(std::string_view kept) {
  message m;
  std::int64_t told = 0;
  std::istringstream from{std::string(kept)};
  if (!(from >> m.channel >> m.ts >> told >> m.level)) return std::nullopt;
  m.told = at_unix_milliseconds(told);
  return m;
}

std::span<const piece_of_news> news_since(const letter& what, wall_time told) {
  const auto first =
      std::ranges::find_if(what.news, [&](const piece_of_news& one) { return std::chrono::floor<milliseconds>(one.at) > told; });
  return {first, what.news.end()};
}

wall_time newest_news(const letter& what, wall_time or_else) {
  return what.news.empty() ? or_else : std::max(or_else, what.news.back().at);
}

bool must_be_posted_anew(std::string_view error) {
  return is_one_of(error, {"message_not_found", "cant_update_message", "edit_window_closed"});
}

bool is_about_blocks(std::string_view error) {
  return is_one_of(error, {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "invalid_block_text"});
}

answered read_answer(const net::result<net::http_answer>& answer, const net::api_access& asked) {
  answered read{attempt_of(answer, asked)};
  if (read.became.is != attempt::result::delivered) return read;
  const std::string whom = net::host_of(asked.ask);
  const auto said = answer->json();
  if (!said) {
    read.became = {attempt::result::not_yet, fmt::format("{} is no Slack: {}", whom, said.error().says)};
    return read;
  }
  read.channel = text_at(*said, "/channel");
  read.ts = text_at(*said, "/ts");
  if (net::boolean_at(*said, "/ok") == true) return read;
  read.error = text_at(*said, "/error");
  read.became.is = is_of_the_letter(read.error) ? attempt::result::refused : attempt::result::not_yet;
  read.became.says = fmt::format("{} answered {}{}", whom, in_quotes(read.error, asked.secrets), advice_for(read.error));
  if (read.became.is == attempt::result::not_yet) read.became.after = retry_after(*answer);
  return read;
}

}  // namespace flipback::notify::slack
