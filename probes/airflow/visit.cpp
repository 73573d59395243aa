#include "probes/airflow/visit.hpp"

#include "flipback/base64.hpp"
#include "flipback/quoted.hpp"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

namespace flipback::airflow {

namespace json = net::json;

namespace {

/// 2.x says 401; 3.x says 401 of a token that has ended, and 403 of one that it did not sign, as after a change of its secret.
bool is_refusal(const net::http_answer& answer) {
  return answer.status == 401 || (answer.status == 403 && answer.body.contains("Invalid JWT token"));
}

}  // namespace

std::optional<duration> lifetime_of(std::string_view token) {
  const std::size_t first = token.find('.');
  const std::size_t second = token.find('.', first == std::string_view::npos ? first : first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const auto bytes = from_base64url(std::string(token.substr(first + 1, second - first - 1)));
  const auto claims = net::parse_json(bytes ? std::string(bytes->begin(), bytes->end()) : std::string());
  if (!claims) return std::nullopt;
  const auto issued = net::number_at(*claims, "/iat");
  const auto ends = net::number_at(*claims, "/exp");
  constexpr double longest = 10 * 365 * 86400.0;
  if (!issued || !ends || !(*ends > *issued) || *ends - *issued > longest) return std::nullopt;
  return from_seconds(*ends - *issued);
}

login::login(const net::api_access& anyone, net::credentials who) : anyone_(anyone), who_(std::move(who)) {
  net::api_access known = anyone;
  if (who_.password) known.say_basic(who_.user, *who_.password);
  if (who_.token) known.say_bearer(*who_.token);
  anyone_.secrets = known.secrets;
  access_ = anyone_;
}

std::string visit::quoted(std::string_view theirs) const {
  return flipback::quoted(theirs, as_.secrets());
}

asio::awaitable<net::result<net::http_answer>> visit::get(std::string path) {
  if (!refused_ && !session_) {
    run_.now = phase::authenticating;
    if (!co_await log_in()) co_return std::unexpected(*refused_);
  }
  while (!refused_) {
    run_.now = phase::asking;
    auto answer = co_await session_->get((talks_ == version::two ? "/api/v1" : "/api/v2") + path);
    if (!answer || !is_refusal(*answer)) co_return std::move(answer);
    const bool from_before = talks_ == version::three && !as_.who_.token && !fetched_;
    if (!from_before) {
      refused_ = net::failure{reason::unauthorised, fmt::format("the {} refused (status {})",
                                                                as_.who_.token ? "token was" : "user and password were", answer->status)};
      break;
    }
    as_.access_for_ = version::unknown;
    session_.reset();
    if (!co_await log_in()) break;
  }
  co_return std::unexpected(*refused_);
}

/// Makes a session of one who is known, or says in `refused_` why there is none.
asio::awaitable<bool> visit::log_in() {
  const bool ended = as_.good_until_ && *as_.good_until_ <= std::chrono::steady_clock::now();
  if (as_.access_for_ != talks_ || ended) {
    as_.access_ = as_.anyone_;
    as_.good_until_.reset();
    if (as_.who_.token) {
      as_.access_.say_bearer(*as_.who_.token);
    } else if (talks_ == version::two) {
      as_.access_.say_basic(as_.who_.user, *as_.who_.password);
    } else {
      refused_ = co_await fetch_token();
      if (refused_) co_return false;
    }
    as_.access_for_ = talks_;
  }
  session_.emplace(through_, as_.access_, run_);
  co_return true;
}

asio::awaitable<std::optional<net::failure>> visit::fetch_token() {
  fetched_ = true;
  net::api_session anyone(through_, as_.anyone_, run_);
  const json::object who{{"username", as_.who_.user}, {"password", as_.who_.password->reveal()}};
  const auto answer = co_await anyone.post("/auth/token", json::serialize(who));
  if (!answer) co_return answer.error();
  if (answer->status == 401) co_return net::failure{reason::unauthorised, "wrong user or password (POST /auth/token answered 401)"};
  if (answer->status != 201 && answer->status != 200) co_return net::unexpected(*answer, "POST /auth/token", "201");
  const auto given = answer->json();
  if (!given) co_return net::failure{given.error().why, fmt::format("POST /auth/token: {}", given.error().says)};
  auto token = net::text_at(*given, "/access_token");
  if (!token) token = net::text_at(*given, "/jwt_token");  // as 3.0's documentation has it
  if (!token || token->find_first_of("\r\n") != std::string::npos)
    co_return net::failure{reason::bad_answer, "POST /auth/token answered JSON without access_token"};
  as_.access_.say_bearer(secret(*token));
  if (const auto lifetime = lifetime_of(*token)) as_.good_until_ = std::chrono::steady_clock::now() + *lifetime * 9 / 10;
  co_return std::nullopt;
}

}  // namespace flipback::airflow
