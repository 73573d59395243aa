#include "probes/jwks/grant.hpp"

#include "flipback/base64.hpp"
#include "flipback/percent.hpp"
#include "flipback/quoted.hpp"

#include "probes/jwks/refusal.hpp"
#include "probes/net/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace flipback::jwks {

namespace {

bool is_bearer(std::string_view type) {
  return std::ranges::equal(type, std::string_view("bearer"), {}, [](unsigned char c) { return std::tolower(c); });
}

}  // namespace

std::vector<secret> ask_for_token(const client& who, bool basic, net::http_request& ask) {
  std::vector<secret> hidden{who.password};
  ask.method = "POST";
  ask.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
  ask.headers.emplace_back("Accept", "application/json");
  ask.body = "grant_type=client_credentials";
  if (!who.scope.empty()) ask.body += fmt::format("&scope={}", percent_encoded(who.scope));
  // Both are form-encoded before they are joined, so that either may have a colon in it.
  const std::string id = percent_encoded(who.id);
  const std::string password = percent_encoded(who.password.reveal());
  if (basic) {
    const secret both(to_base64(fmt::format("{}:{}", id, password)));
    ask.headers.emplace_back("Authorization", fmt::format("Basic {}", both.reveal()));
    hidden.push_back(both);
  } else {
    ask.body += fmt::format("&client_id={}&client_secret={}", id, password);
  }
  return hidden;
}

net::result<secret> token_in(const net::http_answer& answer, const std::string& asked, std::span<const secret> hidden) {
  if (answer.status != 200) return std::unexpected(refusal(answer, asked, hidden));
  const auto body = answer.json();
  if (!body) return std::unexpected(net::failure{body.error().why, fmt::format("{}: {}", asked, body.error().says)});
  const auto token = net::text_at(*body, "/access_token");
  if (!token) return std::unexpected(net::failure{reason::bad_answer, fmt::format("{} answered 200 without an access_token", asked)});
  const std::string type = net::text_at(*body, "/token_type").value_or("");
  if (!is_bearer(type)) {
    return std::unexpected(net::failure{
        reason::bad_answer, fmt::format("{} gave a token of type \"{}\", expected Bearer", asked, flipback::quoted(type, hidden, 40))});
  }
  return secret(*token);
}

}  // namespace flipback::jwks
