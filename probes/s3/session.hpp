#pragma once

#include "probes/net/api.hpp"
#include "probes/s3/listing.hpp"
#include "probes/s3/signature.hpp"

#include <string>

namespace flipback::s3 {

/// The signed questions of one run to an S3.
class session {
 public:
  session(net::api_session& asks, const net::api_access& access, const credentials& as) : asks_(&asks), access_(&access), as_(as) {}

  /// Any answer, whatever its status. `path` is not encoded: "/bucket/key". Where the server asks for another region it is asked again,
  /// signed for that one, as all that follows is.
  asio::awaitable<net::result<net::http_answer>> ask(std::string method, std::string path, query parameters = {}, std::string body = {});
  /// The answer to a question that only this status answers well.
  asio::awaitable<net::result<net::http_answer>> expect(unsigned status, std::string method, std::string path, query parameters = {},
                                                        std::string body = {});
  /// A page of the objects under a prefix; `from` is the page before's `next`. Needs s3:ListBucket.
  asio::awaitable<net::result<listing>> list(std::string bucket, std::string prefix, std::string from = {}, int at_most = 1000);

  /// The server's time as of its last answer, ours where it told none.
  [[nodiscard]] wall_time now() const;
  /// Whether there is anything to be gained from another question: not once the connection failed or the credentials were refused.
  [[nodiscard]] bool goes_on() const { return goes_on_; }
  /// The region that the server asked for, where that is another than was configured; else empty.
  [[nodiscard]] const std::string& region_asked_for() const { return region_asked_for_; }
  [[nodiscard]] std::string quoted(std::string_view theirs) const { return asks_->quoted(theirs); }

 private:
  asio::awaitable<net::result<net::http_answer>> ask_once(std::string method, std::string path, std::string with, std::string body);
  [[nodiscard]] net::failure failure_of(const net::http_answer& answer, const std::string& asked);

  net::api_session* asks_;
  const net::api_access* access_;
  credentials as_;
  std::string region_asked_for_;
  duration ahead_{};  ///< how far the server's clock is ahead of ours
  bool goes_on_ = true;
};

}  // namespace flipback::s3
