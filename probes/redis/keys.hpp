#pragma once

#include "probes/redis/replies.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace flipback::redis {

/// Counts the keys of the selected database that match a glob, by SCAN (never KEYS, which stops the server for everybody meanwhile).
/// SCAN may give a key twice; it is counted once. Nothing where `most` keys have been looked at, or the time is over, before the end.
asio::awaitable<net::result<std::optional<std::size_t>>> count_keys(conversation& with, std::string pattern, std::uint64_t most,
                                                                    instant until);

}  // namespace flipback::redis
