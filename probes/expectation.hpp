#pragma once

#include "flipback/observation.hpp"
#include "flipback/settings.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace flipback {

/// What an HTTP answer is held against: a status, and values under JSON pointers (RFC 6901).
struct expectation {
  unsigned status_low = 200;  ///< "2xx" is 200 to 299
  unsigned status_high = 200;
  std::map<std::string, settings::node> json;  ///< pointer → the value expected there
};

/// Reads `expect = { status = 200, "/status" = "healthy" }` under `key`; a status alone (`expect = 204`, `"2xx"`) will do.
expectation read_expectation(settings::section& from, std::string_view key);

/// The first expectation that does not hold, in one sentence and with its reason; nothing where all hold.
struct unmet {
  reason why;
  std::string says;
};
std::optional<unmet> first_unmet(const expectation& expected, unsigned status, std::string_view body);

}  // namespace flipback
