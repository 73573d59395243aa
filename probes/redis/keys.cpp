#include "probes/redis/keys.hpp"

#include "flipback/quoted.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <unordered_set>

namespace flipback::redis {

namespace {

constexpr std::uint64_t at_once = 1000;  // keys that one SCAN looks at: less than a millisecond of the server's only thread

net::failure refused(const std::string& error) {
  if (error.starts_with("NOPERM")) return {reason::forbidden, "the user may not SCAN"};
  return {reason::bad_status, "SCAN was answered with an error"};
}

}  // namespace

asio::awaitable<net::result<std::optional<std::size_t>>> count_keys(conversation& with, std::string pattern, std::uint64_t most,
                                                                    instant until) {
  std::unordered_set<std::size_t> seen;  // hashes: keys may be long
  std::string cursor = "0";
  for (std::uint64_t looked_at = 0; looked_at < most; looked_at += at_once) {
    if (std::chrono::steady_clock::now() >= until) co_return std::nullopt;
    const std::uint64_t count = std::min(at_once, most - looked_at);
    with.say({"SCAN", cursor, "MATCH", pattern, "COUNT", std::to_string(count)});
    if (const auto sent = co_await with.send(); !sent) co_return std::unexpected(sent.error());
    const auto answer = co_await with.next();
    if (!answer) co_return std::unexpected(answer.error());
    if (answer->is_error) co_return std::unexpected(refused(answer->text));
    if (answer->elements.size() != 2 || answer->elements[0].text.empty())
      co_return std::unexpected(net::failure{reason::bad_answer, "the answer to SCAN is no cursor with keys"});
    for (const reply& key : answer->elements[1].elements) seen.insert(std::hash<std::string>()(key.text));
    cursor = answer->elements[0].text;
    if (cursor == "0") co_return seen.size();
  }
  co_return std::nullopt;
}

}  // namespace flipback::redis
