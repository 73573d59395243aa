#pragma once

#include "flipback/units.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flipback {

/// One of those that many errors have in common: a client by its address (in IPv6 by its network, "2001:db8:1:2::/64"), or what was asked
/// ("GET /api/search").
struct error_share {
  std::string of;
  double share = 0;  ///< of all errors, or of all requests: 0 to 1; never more than it was, at most 2% less
};

/// A request that failed, to be asked again. The query goes to the slots and nowhere else: it is not logged, shown or kept.
/// Whether a request with this method changes nothing, and may be asked again (RFC 9110, 9.2.1). OPTIONS and TRACE, which do
/// as well, are no users' requests.
constexpr bool is_safe(std::string_view method) {
  return method == "GET" || method == "HEAD";
}

struct failed_request {
  std::string method;
  std::string target;   ///< path and query, as the client sent it
  unsigned status = 0;  ///< that the user got
  std::string client;
  double waited = 0;  ///< seconds from its beginning to its end; 0 where the log does not tell
};

/// What the errors of a time have in common, for whoever asks whether a release is to blame.
struct error_shares {
  bool is_read = true;  ///< false: what was logged before the reader came is still being read, and none of it is here yet
  std::uint64_t errors = 0;
  std::uint64_t safe_errors = 0;       ///< GET and HEAD among them: they change nothing, and may be asked again (RFC 9110, 9.2.1)
  std::uint64_t hung_errors = 0;       ///< those that are errors only because their clients waited and hung up
  std::vector<error_share> clients;    ///< the largest first; empty where the log does not tell
  std::vector<error_share> requests;   ///< the same
  std::vector<failed_request> sample;  ///< drawn by chance, a bounded number; empty where the log does not tell
  std::vector<failed_request> slow;    ///< the same of requests that were slow, whatever they ended with
  /// Whose the requests of that time were, errors or not: the largest first, each with its share of all requests. A client that is not
  /// among them made less than a fifth.
  std::vector<error_share> requesters;
};

/// What there is to ask where it is not the errors that are too many, but the slow requests.
inline error_shares of_slow(const error_shares& all) {
  error_shares made;
  made.is_read = all.is_read;
  made.errors = all.slow.size();
  for (const failed_request& r : all.slow) made.safe_errors += is_safe(r.method) ? 1U : 0U;
  made.sample = all.slow;
  return made;
}

/// What a probe is, beside a probe, that knows who has the errors.
class knows_errors {
 public:
  virtual ~knows_errors() = default;
  /// The errors of the newest 5 minutes, but none from before `since`.
  [[nodiscard]] virtual error_shares errors_since(instant since) const = 0;
};

}  // namespace flipback
