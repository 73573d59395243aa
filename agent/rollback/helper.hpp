#pragma once

#include "agent/config/configuration.hpp"
#include "agent/rollback/helper_words.hpp"
#include "agent/rollback/slot_switch.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <expected>
#include <memory>
#include <string>

/// Asking the helper that has root's rights ([nginx] helper), where the agent has none.
namespace flipback::rollback {

/// What it answered. Can't tell: it did not answer within `command_timeout` and 5 s more, hung up, or said something else. An error: it was
/// never told all of the order, and has done nothing; one sentence with what to type.
asio::awaitable<std::expected<done, std::string>> ask_helper(asio::any_io_executor executor, const config::nginx& settings, order what);

/// What `nginx -t` came to there.
asio::awaitable<done> tested_by_helper(asio::any_io_executor executor, const config::nginx& settings);

/// A switch of files that reads them itself, and has the helper write them: an install or a restore of all of them is asked for with the
/// first change that does not stand as it is to. What came of it is read from the files. The configuration must outlive it.
std::unique_ptr<slot_switch> make_helped_switch(asio::any_io_executor executor, const config::configuration& configured,
                                                std::unique_ptr<slot_switch> reading);

}  // namespace flipback::rollback
