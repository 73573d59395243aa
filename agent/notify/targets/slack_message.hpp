#pragma once

#include "agent/notify/target.hpp"
#include "probes/net/api.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

/// What Slack's Web API says of a message, and what the next letter of the matter must know of it.
namespace flipback::notify::slack {

/// The message that a matter has, as a target's `kept` holds it: "C0123ABC 1503435956.000247 1764234251791 2".
struct message {
  std::string channel;  ///< by its id
  std::string ts;
  wall_time told;      ///< the newest news that was told, to the millisecond
  unsigned level = 1;  ///< to which it had escalated
};
std::string kept_as(const message& m);
std::optional<message> message_in(std::string_view kept);

/// What happened after what was told.
std::span<const piece_of_news> news_since(const letter& what, wall_time told);
wall_time newest_news(const letter& what, wall_time or_else);

/// What Slack answered. Its own errors come with a status of 200.
struct answered {
  attempt became;
  std::string error;        ///< "channel_not_found"; empty: there was none
  std::string channel, ts;  ///< of a message that was posted
};
answered read_answer(const net::result<net::http_answer>& answer, const net::api_access& asked);

/// Whether the message that was to be edited is there no more, or can't be edited any more.
bool must_be_posted_anew(std::string_view error);
/// Whether it is the blocks that Slack does not take.
bool is_about_blocks(std::string_view error);

}  // namespace flipback::notify::slack
