#pragma once

#include "agent/notify/letter.hpp"

#include <boost/json/array.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

/// Letters as Slack shows them.
namespace flipback::notify::slack {

/// Text in which nothing is a mention, a link or a channel: Slack takes those from `<…>` alone, where `verbatim` or `parse: none` is said
/// (api.slack.com/reference/surfaces/formatting). Of at most so many bytes; no escape is cut in two.
std::string escaped(std::string_view text, std::size_t most);

/// The letter as blocks: title, what is so, what else is ill, what happened, where to read on. Far below each of Slack's limits, the
/// undocumented one of all blocks together (about 13,200 characters) included.
boost::json::array blocks_of(const letter& what);

/// What a notification on a screen says, where blocks are not shown.
std::string summary_of(const letter& what);
/// The whole letter without blocks.
std::string text_of(const letter& what);
/// What a message in the letter's thread says: this news, and why it comes again; empty: there is nothing to say.
std::string thread_text(const letter& what, std::span<const piece_of_news> since, bool is_urgent);

}  // namespace flipback::notify::slack
