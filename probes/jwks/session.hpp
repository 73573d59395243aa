#pragma once

#include "probes/findings.hpp"
#include "probes/jwks/key_set.hpp"
#include "probes/jwks/rotation.hpp"
#include "probes/jwks/terms.hpp"
#include "probes/jwks/token.hpp"

#include <optional>
#include <string>
#include <vector>

namespace flipback::jwks {

/// The questions of one run: the readiness, the issuer's document, the key set, a token. What they need of each other they wait for; what
/// they find goes to `into`.
class session {
 public:
  session(net::network& through, const terms& asked, rotation& seen, run& r, findings& into)
      : through_(through), terms_(asked), rotation_(seen), run_(r), found_(into), home_(through, true), hidden_{asked.who.password} {}

  asio::awaitable<void> ask();

 private:
  asio::awaitable<void> ask_health();
  asio::awaitable<std::optional<discovery>> discover();
  asio::awaitable<std::optional<key_set>> fetch_keys(const net::http_request& from);
  void look_at(const key_set& set, const std::optional<discovery>& document);
  asio::awaitable<void> try_token(const discovery& by, key_set set, const net::http_request& keys);
  asio::awaitable<net::result<token>> get_token(const discovery& by, secret& holding);
  asio::awaitable<net::result<void>> verify(const token& t, key_set set, const net::http_request& keys);

  asio::awaitable<net::result<net::http_answer>> exchange(const net::http_request& ask);
  void unwell(const net::failure& what);

  net::network& through_;
  const terms& terms_;
  rotation& rotation_;
  run& run_;
  findings& found_;
  net::http_client home_;       ///< to the place that is asked first
  std::vector<secret> hidden_;  ///< what no message may repeat
  bool certificate_seen_ = false;
  bool keys_timed_ = false;
};

}  // namespace flipback::jwks
