#pragma once

#include "flipback/secret.hpp"
#include "flipback/settings.hpp"

#include "probes/net/http_client.hpp"
#include "probes/net/json.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flipback::net {

/// How a service's HTTP API is reached, and how we say who we are.
struct api_access {
  http_request ask;             ///< whom: the URL's path is what every path of the API comes after; with the headers of each request
  std::vector<secret> secrets;  ///< what no message may repeat

  void say_basic(const std::string& user, const secret& password);
  void say_bearer(const secret& token) { say("Authorization", "Bearer ", token); }
  void say(std::string header, std::string_view before, const secret& value);
};

/// Reads `url` (required), `host` and the TLS keys. A slash at the URL's end means nothing; a query is an error.
api_access read_api_access(settings::section& from, std::string_view example);
/// The same of an API that is at a usual place, unless this key says where.
api_access read_api_access(settings::section& from, std::string_view key, std::string_view usual);
/// A name with a password, a bearer's token, or nothing at all.
struct credentials {
  std::string user;
  std::optional<secret> password;
  std::optional<secret> token;
};
/// Reads `user` with `password`, or `token`, each secret with its `_file` twin; none of them will do as well.
credentials read_credentials(settings::section& from);
/// The same, said with every request.
void read_credentials(settings::section& from, api_access& into);
/// Reads `token` alone, or its `_file` twin.
std::optional<secret> read_token(settings::section& from);
/// Reads `headers`, to be sent with each request; what they hold is hidden but for those that tell nobody a secret. After the credentials:
/// an Authorization beside them is an error.
void read_headers(settings::section& from, api_access& into);

/// The questions of one run to an API. They share a connection, which ends with the session; a deadline is the run's.
class api_session {
 public:
  api_session(network& through, const api_access& as, run& r) : client_(through, true), as_(&as), run_(&r) {
    for (const secret& s : as.secrets) r.learned.keep(s);
  }

  /// Any answer, whatever its status. `path` begins with a slash and is sent as it is.
  asio::awaitable<result<http_answer>> get(std::string path);
  asio::awaitable<result<http_answer>> post(std::string path, std::string body, std::string type = "application/json");
  /// `headers` come after the access's own.
  asio::awaitable<result<http_answer>> ask(std::string method, std::string path, std::string body,
                                           std::vector<std::pair<std::string, std::string>> headers);
  /// The JSON of a 200; anything else is a failure that says what came instead.
  asio::awaitable<result<json_document>> get_json(std::string path);
  asio::awaitable<result<json_document>> post_json(std::string path, std::string body, std::string type = "application/json");

  /// What the service wrote, fit for a message: see `flipback::quoted`.
  [[nodiscard]] std::string quoted(std::string_view theirs) const;
  /// Seconds until the server's certificate ends, where an answer came over TLS.
  [[nodiscard]] std::optional<double> certificate_left() const { return certificate_left_; }

 private:
  http_client client_;
  const api_access* as_;
  run* run_;
  std::optional<double> certificate_left_;
};

/// The JSON of a 200, or what came instead of an answer to `asked` ("GET /x").
result<json_document> json_of(const result<http_answer>& answer, std::string_view asked);

/// What an unexpected status means: 401 is `unauthorised`, 403 `forbidden`, 429 `limited`, others `bad_status`.
reason reason_of_status(unsigned status);
/// "GET /x answered 302 (to https://sso.example.com/login), expected 200", without the place's query; or without whom, where that is known.
failure unexpected(const http_answer& found, std::string_view asked, std::string_view expected = "200",
                   std::span<const secret> hidden = {});

}  // namespace flipback::net
