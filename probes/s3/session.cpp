#include "probes/s3/session.hpp"

#include "flipback/timestamp.hpp"

#include "probes/s3/xml.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace flipback::s3 {

namespace {

wall_time our_time() {
  return std::chrono::system_clock::now();
}

/// S3's error codes: its "Error responses", and MinIO's cmd/api-errors.go. What is not here goes by the status.
struct meaning {
  std::string_view code;
  reason why;
  std::string_view says;  ///< empty: the code and the server's own message
};
constexpr std::array meanings{
    meaning{"AccessDenied", reason::forbidden, {}},
    meaning{"InvalidAccessKeyId", reason::unauthorised, "the access key is unknown"},
    meaning{"SignatureDoesNotMatch", reason::unauthorised,
            "the secret key is wrong, or a proxy on the way changes the Host or the path that were signed: it must pass them on"},
    meaning{"InvalidToken", reason::unauthorised, "the session token is wrong"},
    meaning{"InvalidTokenId", reason::unauthorised, "the session token is wrong, or has ended"},
    meaning{"ExpiredToken", reason::unauthorised, "the session token has ended"},
    meaning{"NoSuchBucket", reason::absent, "the bucket does not exist"},
    meaning{"NoSuchKey", reason::absent, "the object does not exist"},
    meaning{"SlowDown", reason::limited, {}},
    meaning{"SlowDownRead", reason::expectation, "too few drives answer to read (SlowDownRead)"},
    meaning{"SlowDownWrite", reason::expectation, "too few drives answer to write (SlowDownWrite)"},
    meaning{"XMinioServerNotInitialized", reason::starting, "the server is not initialised yet"},
};

/// How far the server's clock is ahead. Date has whole seconds, and is a moment old: less than two say nothing.
duration ahead_of_ours(const net::http_answer& answer) {
  const std::string* said = answer.header("Date");
  const auto theirs = said == nullptr ? std::nullopt : parse_http_date(*said);
  const duration ahead = theirs ? duration(*theirs - our_time()) : duration{};
  return std::chrono::abs(ahead) < std::chrono::seconds(2) ? duration{} : ahead;
}

std::string skew_of(duration ahead) {
  return fmt::format("our clock is {} {} the server's: it refuses what is signed more than 15 minutes off",
                     format_duration(std::chrono::round<std::chrono::minutes>(std::chrono::abs(ahead))),
                     ahead < duration{} ? "ahead of" : "behind");
}

/// The region for which a request should have been signed, where the answer says that; else empty.
std::string region_in(const net::http_answer& answer) {
  if (answer.status < 400) return {};
  const auto said = parse_xml(answer.body);
  if (!said || said->name != "Error" || said->text_of("Code") != "AuthorizationHeaderMalformed") return {};
  const std::string_view region = said->text_of("Region");
  constexpr std::size_t longest = 64;
  const bool good =
      region.size() <= longest && std::ranges::all_of(region, [](unsigned char c) { return std::isalnum(c) != 0 || c == '-'; });
  return good ? std::string(region) : std::string();
}

}  // namespace

asio::awaitable<net::result<net::http_answer>> session::ask(std::string method, std::string path, query parameters, std::string body) {
  const std::string with = encoded(std::move(parameters));
  auto answer = co_await ask_once(method, path, with, body);
  const std::string region = answer ? region_in(*answer) : "";
  if (region.empty() || region == as_.region || !region_asked_for_.empty()) co_return std::move(answer);
  as_.region = region;
  region_asked_for_ = region;
  answer = co_await ask_once(std::move(method), std::move(path), with, std::move(body));
  co_return std::move(answer);
}

asio::awaitable<net::result<net::http_answer>> session::ask_once(std::string method, std::string path, std::string with, std::string body) {
  const std::string where = encoded_path(path);
  const std::string whole_path = access_->ask.to.target + where;
  const std::string date = amz_date(our_time());
  const std::string hash = sha256_in_hex(body);
  unsigned_request to_sign{method, whole_path, with, {}, hash};
  to_sign.headers.emplace_back("x-amz-content-sha256", hash);
  to_sign.headers.emplace_back("x-amz-date", date);
  if (!as_.session_token.empty()) to_sign.headers.emplace_back("x-amz-security-token", as_.session_token.reveal());
  headers sent = to_sign.headers;
  to_sign.headers.emplace_back("host", net::host_of(access_->ask));  // which the client says by itself
  sent.emplace_back("Authorization", authorization(to_sign, as_, date));
  auto answer =
      co_await asks_->ask(std::move(method), with.empty() ? where : fmt::format("{}?{}", where, with), std::move(body), std::move(sent));
  goes_on_ = answer.has_value();
  if (answer) ahead_ = ahead_of_ours(*answer);
  co_return std::move(answer);
}

asio::awaitable<net::result<net::http_answer>> session::expect(unsigned status, std::string method, std::string path, query parameters,
                                                               std::string body) {
  const std::string asked = fmt::format("{} {}", method, asks_->quoted(path));
  auto answer = co_await ask(std::move(method), std::move(path), std::move(parameters), std::move(body));
  if (answer && answer->status != status) co_return std::unexpected(failure_of(*answer, asked));
  co_return std::move(answer);
}

asio::awaitable<net::result<listing>> session::list(std::string bucket, std::string prefix, std::string from, int at_most) {
  query parameters{{"list-type", "2"}, {"encoding-type", "url"}, {"max-keys", std::to_string(at_most)}};
  if (!prefix.empty()) parameters.emplace_back("prefix", std::move(prefix));
  if (!from.empty()) parameters.emplace_back("continuation-token", std::move(from));
  const std::string path = "/" + bucket;
  const auto answer = co_await expect(200, "GET", path, std::move(parameters));
  if (!answer) co_return std::unexpected(answer.error());
  auto page = parse_listing(answer->body);
  if (!page) co_return std::unexpected(net::failure{page.error().why, fmt::format("GET {}: {}", asks_->quoted(path), page.error().says)});
  co_return std::move(*page);
}

wall_time session::now() const {
  return our_time() + std::chrono::duration_cast<wall_time::duration>(ahead_);
}

net::failure session::failure_of(const net::http_answer& answer, const std::string& asked) {
  const auto said = parse_xml(answer.body);
  const std::string_view code = said && said->name == "Error" ? said->text_of("Code") : std::string_view();
  net::failure made = net::unexpected(answer, asked);
  if (code == "RequestTimeTooSkewed") {
    made = {reason::bad_status, skew_of(ahead_)};
    goes_on_ = false;
  } else if (const auto* known = std::ranges::find(meanings, code, &meaning::code); known != meanings.end() && !known->says.empty()) {
    made = {known->why, fmt::format("{}: {}", asked, known->says)};
  } else if (!code.empty()) {
    if (known != meanings.end()) made.why = known->why;
    made.says = fmt::format("{} answered {} {}: {}", asked, answer.status, asks_->quoted(code), asks_->quoted(said->text_of("Message")));
  }
  if (made.why == reason::unauthorised) goes_on_ = false;  // wrong credentials are tried once a run
  return made;
}

}  // namespace flipback::s3
