#pragma once

#include "probes/net/json.hpp"
#include "probes/net/url.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flipback::net {

struct http_request {
  std::string method = "GET";
  url to;
  std::string host;                                          ///< Host header; empty: from the URL
  std::vector<std::pair<std::string, std::string>> headers;  ///< what stands under User-Agent is said after our own
  std::string body;
  std::size_t answer_limit = 1024 * 1024;  ///< bytes of body; a longer answer is `too_large`
  tls_options tls;
};

/// What the Host header of this request will say.
std::string host_of(const http_request& ask);

struct http_times {
  connect_times connecting;  ///< zero on a kept connection
  duration first_byte{};     ///< from the request's last byte to the answer's head
  duration transfer{};       ///< from the head to the answer's end
  duration total{};
};

struct http_answer {
  unsigned status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  http_times times;
  std::optional<double> certificate_days;
  bool certificate_demanded = false;  ///< the server asked for a certificate of ours

  std::optional<result<json_document>> read_in_parts;  ///< of a long body that may be JSON: it has been read while it came

  [[nodiscard]] const std::string* header(std::string_view name) const;  ///< the first of that name, in any case
  [[nodiscard]] result<json_document> json() const;                      ///< the body as JSON, or why it is none (parse_json)
};

/// One HTTP/1.1 client to one place. Sends `User-Agent: flipback/<version>`. With `keep_alive` the connection is used again; one that the
/// server closed meanwhile is made anew once. One exchange at a time.
class http_client {
 public:
  http_client(network& through, bool keep_alive);
  ~http_client();
  asio::awaitable<result<http_answer>> exchange(const http_request& ask, run& r);

 private:
  network* through_;
  bool keep_alive_;
  std::unique_ptr<stream> kept_;
};

}  // namespace flipback::net
