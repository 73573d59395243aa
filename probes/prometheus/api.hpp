#pragma once

#include "probes/net/api.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Prometheus' HTTP API (prometheus:docs/querying/api.md), as it is also spoken by Thanos, Mimir and VictoriaMetrics.
namespace flipback::prometheus {

namespace json = net::json;

/// What the envelope of an answer held.
struct reply {
  json::value data;
  std::vector<std::string> warnings;  ///< why the data is partial or not to be relied upon, fit for a message
};

/// The data of an answer, or what the server said instead: `starting` while it is not ready, `timed_out` where it ended the query itself.
net::result<reply> read_reply(const net::http_answer& from, std::string_view asked, std::span<const secret> hidden);

/// Whether a failure speaks of one question alone, so that the others are worth asking. A wrong password is not tried again.
bool is_of_one_question(reason why);

/// The questions of one run.
class api {
 public:
  api(net::network& through, const net::api_access& as, run& r) : session_(through, as, r), hidden_(as.secrets), run_(&r) {}

  /// Whether the server is ready; nothing where it has no such page, or does not show it to us.
  asio::awaitable<net::result<std::optional<bool>>> ready();
  asio::awaitable<net::result<reply>> get(std::string path);
  /// Evaluates PromQL now. The server is told to give up before our own deadline, so that what it says of that is heard: within half of the
  /// time that is left, where more is to be asked.
  asio::awaitable<net::result<reply>> query(std::string_view promql, bool last);

  [[nodiscard]] std::string quoted(std::string_view theirs) const { return session_.quoted(theirs); }
  [[nodiscard]] std::optional<double> certificate_left() const { return session_.certificate_left(); }

 private:
  net::api_session session_;
  std::span<const secret> hidden_;
  run* run_;
};

/// Reads `url`, `host`, the TLS keys and the credentials. Its answers may be long: a rule has all of its alerts in it.
net::api_access read_access(settings::section& from);

}  // namespace flipback::prometheus
