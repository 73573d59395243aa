#include "probes/net/api.hpp"

#include "flipback/base64.hpp"
#include "flipback/quoted.hpp"

#include "probes/net/http_settings.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace flipback::net {

namespace {

api_access api_at(settings::section& from, std::string_view key, http_request ask) {
  api_access read;
  read.ask = std::move(ask);
  std::string& base = read.ask.to.target;
  if (base.contains('?')) from.report(key, fmt::format("found {}, expected the service's address, without a query", from.shown(key)));
  while (base.ends_with('/')) base.pop_back();
  return read;
}

}  // namespace

void api_access::say(std::string header, std::string_view before, const secret& value) {
  ask.headers.emplace_back(std::move(header), fmt::format("{}{}", before, value.reveal()));
  secrets.push_back(value);
}

void api_access::say_basic(const std::string& user, const secret& password) {
  say("Authorization", "Basic ", secret(to_base64(fmt::format("{}:{}", user, password.reveal()))));
  secrets.push_back(password);
}

api_access read_api_access(settings::section& from, std::string_view example) {
  return api_at(from, "url", read_http_request(from, example));
}

api_access read_api_access(settings::section& from, std::string_view key, std::string_view usual) {
  return api_at(from, key, read_http_request(from, key, from.text(key, std::string(usual))));
}

credentials read_credentials(settings::section& from) {
  credentials read{from.text("user", ""), from.hidden("password"), read_token(from)};
  if (read.token && read.password) from.report("token", "stands beside password: expected one of them");
  if (read.password && read.user.empty()) from.report_here("has a password and no user, expected both");
  if (!read.user.empty() && !read.password) from.report_here("has a user and no password, expected both");
  if (read.user.contains(':')) from.report("user", "has a colon in it, which HTTP's basic authentication can't say");
  return read;
}

void read_credentials(settings::section& from, api_access& into) {
  const credentials read = read_credentials(from);
  if (read.token)
    into.say_bearer(*read.token);
  else if (read.password && !read.user.empty())
    into.say_basic(read.user, *read.password);
  for (const secret& s : into.secrets) from.keep(s);
}

std::optional<secret> read_token(settings::section& from) {
  auto token = from.hidden("token");
  const auto is_control = [](unsigned char c) { return c < ' ' || c == 0x7f; };
  if (token && std::ranges::any_of(token->reveal(), is_control)) from.report("token", "has a control character in it");
  return token;
}

void read_headers(settings::section& from, api_access& into) {
  const bool has_credentials = std::ranges::any_of(into.ask.headers, [](const auto& header) { return is_authorization(header.first); });
  for (read_header& h : read_headers(from)) {
    if (has_credentials && is_authorization(h.name))
      from.report("headers", "has an Authorization beside user and password, or token: expected one of them");
    if (!is_public_header(h.name)) hide_sent(into.secrets, h.value.reveal());
    if (!is_public_header(h.name)) from.keep(h.value);
    into.ask.headers.emplace_back(std::move(h.name), h.value.reveal());
  }
}

asio::awaitable<result<http_answer>> api_session::ask(std::string method, std::string path, std::string body,
                                                      std::vector<std::pair<std::string, std::string>> headers) {
  http_request made = as_->ask;
  made.method = std::move(method);
  made.to.target += path;
  made.body = std::move(body);
  std::ranges::move(headers, std::back_inserter(made.headers));
  auto answer = co_await client_.exchange(made, *run_);
  if (answer && answer->certificate_days) certificate_left_ = *answer->certificate_days * 86400;
  co_return std::move(answer);
}

asio::awaitable<result<http_answer>> api_session::get(std::string path) {
  co_return co_await ask("GET", std::move(path), {}, {});
}

asio::awaitable<result<http_answer>> api_session::post(std::string path, std::string body, std::string type) {
  std::vector<std::pair<std::string, std::string>> headers;
  headers.emplace_back("Content-Type", std::move(type));
  co_return co_await ask("POST", std::move(path), std::move(body), std::move(headers));
}

asio::awaitable<result<json_document>> api_session::get_json(std::string path) {
  const std::string asked = fmt::format("GET {}", path.substr(0, path.find('?')));
  const auto answer = co_await get(std::move(path));
  co_return json_of(answer, asked);
}

asio::awaitable<result<json_document>> api_session::post_json(std::string path, std::string body, std::string type) {
  const std::string asked = fmt::format("POST {}", path);
  const auto answer = co_await post(std::move(path), std::move(body), std::move(type));
  co_return json_of(answer, asked);
}

std::string api_session::quoted(std::string_view theirs) const {
  return flipback::quoted(theirs, as_->secrets);
}

result<json_document> json_of(const result<http_answer>& answer, std::string_view asked) {
  if (!answer) return std::unexpected(answer.error());
  if (answer->status != 200) return std::unexpected(unexpected(*answer, asked));
  auto document = answer->json();
  if (!document) return std::unexpected(failure{document.error().why, fmt::format("{}: {}", asked, document.error().says)});
  return document;
}

reason reason_of_status(unsigned status) {
  switch (status) {
    case 401:
      return reason::unauthorised;
    case 403:
      return reason::forbidden;
    case 429:
      return reason::limited;
    default:
      return reason::bad_status;
  }
}

failure unexpected(const http_answer& found, std::string_view asked, std::string_view expected, std::span<const secret> hidden) {
  std::string to;
  if (const std::string* place = found.header("Location"); place != nullptr && found.status / 100 == 3) {
    to = fmt::format(" (to {})", flipback::quoted(place->substr(0, place->find_first_of("?#")), hidden));
  }
  return {reason_of_status(found.status),
          fmt::format("{}{}answered {}{}, expected {}", asked, asked.empty() ? "" : " ", found.status, to, expected)};
}

}  // namespace flipback::net
