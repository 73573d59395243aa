#pragma once

#include "probes/net/api.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flipback::airflow {

enum class version : std::uint8_t { unknown, two, three };

/// The `exp` of a JSON Web Token less its `iat` (RFC 7519, 4.1): how long it is good for. Nothing where it doesn't say.
std::optional<duration> lifetime_of(std::string_view token);

/// Who we are to Airflow's API, for all runs of a probe. 2.x takes a name and a password with each question; 3.x gives a token for them,
/// which is kept for most of its lifetime.
class login {
 public:
  login(const net::api_access& anyone, net::credentials who);

  [[nodiscard]] bool has_credentials() const { return who_.token || who_.password; }
  /// What no message may repeat.
  [[nodiscard]] const std::vector<secret>& secrets() const { return access_.secrets; }

 private:
  friend class visit;

  net::api_access anyone_;
  net::credentials who_;
  net::api_access access_;
  version access_for_ = version::unknown;  ///< unknown: `access_` says nobody yet
  std::optional<instant> good_until_;      ///< of a token that was given; nothing: until it is refused
};

/// One run's questions to the API. Credentials that are refused once are not tried again: every further question fails without being asked.
class visit {
 public:
  visit(net::network& through, login& as, version talks, run& r) : through_(through), as_(as), talks_(talks), run_(r) {}

  /// Any answer but the refusal of our credentials, which is a failure. `path` comes after the API's own: "/dags/x".
  asio::awaitable<net::result<net::http_answer>> get(std::string path);
  [[nodiscard]] bool refused() const { return refused_.has_value(); }
  [[nodiscard]] std::string quoted(std::string_view theirs) const;

 private:
  asio::awaitable<bool> log_in();
  asio::awaitable<std::optional<net::failure>> fetch_token();

  net::network& through_;
  login& as_;
  version talks_;
  run& run_;
  std::optional<net::api_session> session_;
  std::optional<net::failure> refused_;
  bool fetched_ = false;  ///< in this run
};

}  // namespace flipback::airflow
