#pragma once

#include "agent/notify/letter.hpp"

#include <boost/json/object.hpp>

namespace flipback::notify {

/// The letter as JSON, and with it `text`, all that it says as people read it: for a receiver that only shows it.
boost::json::object with_text(const letter& what);

}  // namespace flipback::notify
