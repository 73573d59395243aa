#pragma once

#include "flipback/observation.hpp"
#include "flipback/settings.hpp"

#include "probes/condition.hpp"
#include "probes/net/http_client.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flipback {

/// What an HTTP answer is held against: a status, and conditions on values under JSON pointers (RFC 6901), on headers and on the body.
struct expectation {
  struct stated {
    subject of = subject::json;
    std::string name;  ///< "/status" or "X-Release"
    std::vector<condition> conditions;
    friend bool operator==(const stated&, const stated&) = default;
  };
  unsigned status_low = 200;  ///< "2xx" is 200 to 299
  unsigned status_high = 200;
  std::vector<stated> rest;
  friend bool operator==(const expectation&, const expectation&) = default;

  [[nodiscard]] bool allows(unsigned status) const { return status >= status_low && status <= status_high; }
};

/// Reads `expect = { status = 200, "/status" = "healthy", "/lag" = { below = 5 }, "header:X-Release" = "v1.2", body = "ready" }` under
/// `key`; a status alone (`expect = 204`, `"2xx"`) will do.
expectation read_expectation(settings::section& from, std::string_view key);

/// The first expectation that does not hold, in one sentence and with its reason; nothing where all hold.
std::optional<net::failure> first_unmet(const expectation& expected, const net::http_answer& found, std::span<const secret> hidden = {});

}  // namespace flipback
