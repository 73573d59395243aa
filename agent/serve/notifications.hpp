#pragma once

#include "agent/notify/notifier.hpp"
#include "agent/serve/demand.hpp"

#include <boost/asio/awaitable.hpp>

namespace flipback::serve {

/// `notifications`: what people were told, by which target, and whether it arrived.
reply notifications(const notify::notifier& of, bool as_json);

/// `notify test [TARGET]`: a trial letter to one target, or to all.
boost::asio::awaitable<reply> test_notifications(notify::notifier& of, demand asked);

}  // namespace flipback::serve
