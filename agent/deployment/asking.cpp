#include "agent/deployment/asking.hpp"

#include "flipback/quoted.hpp"

#include "agent/deployment/ask.hpp"
#include "agent/task_group.hpp"

#include <fmt/format.h>

#include <utility>

namespace flipback::deployment {

namespace {

using answered = net::result<net::http_answer>;

constexpr unsigned server_errors = 500;
constexpr std::size_t longest_name = 80;  // bytes of a release's name in a sentence

std::string identity_in(const std::optional<identity_source>& source, const net::http_answer& answer) {
  return source ? identity_of(*source, answer).value_or("") : std::string();
}

/// What an answer should say of itself and does not.
std::string lacking_of_itself(const net::http_answer& answer, const config::front_door& door) {
  const auto lacks = [&](const std::optional<identity_source>& source) { return source && !identity_of(*source, answer); };
  if (lacks(door.identity)) return lacking_in(*door.identity, answer);
  return lacks(door.release) ? lacking_in(*door.release, answer) : std::string();
}

/// A redirect with where it leads.
std::string answered_with(const net::http_answer& answer) {
  const std::string* to = answer.header("Location");
  const bool redirects = answer.status >= 300 && answer.status < 400 && to != nullptr;
  return fmt::format("answered {}{}", answer.status, redirects ? fmt::format(", to {}", flipback::quoted(*to, {}, longest_name)) : "");
}

reply judged(const answered& got, const config::front_door& door) {
  reply made;
  if (!got) {
    made.says = got.error().says;
    return made;
  }
  made.status = got->status;
  if (got->status >= server_errors) {
    made.is = reply::kind::failing;
    made.says = fmt::format("answered {}", got->status);
    return made;
  }
  made.identity = identity_in(door.identity, *got);
  made.release = door.release ? identity_in(door.release, *got) : made.identity;
  const bool told = !made.identity.empty() || !made.release.empty();
  made.is = told ? reply::kind::identified : reply::kind::anonymous;
  const std::string& name = made.identity.empty() ? made.release : made.identity;
  made.lacks = lacking_of_itself(*got, door);
  made.says = told                 ? fmt::format("answered {} as {}", got->status, flipback::quoted(name, {}, longest_name))
              : made.lacks.empty() ? answered_with(*got)
                                   : fmt::format("{} without its identity: {}", answered_with(*got), made.lacks);
  return made;
}

/// Nothing where the URL can't be read, which the configuration's reader has refused.
std::optional<net::http_request> request_to(const std::string& url, const std::string& host) {
  auto parsed = net::parse_url(url);
  if (!parsed) return std::nullopt;
  net::http_request made;
  made.to = std::move(*parsed);
  made.host = host;
  return made;
}

std::string without_slash(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

asio::awaitable<answered> put(net::network& through, std::optional<net::http_request> request, duration limit) {
  if (!request) co_return std::unexpected(net::failure{reason::no_prerequisite, "its URL can't be read"});
  co_return co_await ask(through, std::move(*request), limit);
}

asio::awaitable<answered> ask_health(net::network& through, const config::slot& of, const config::front_door& door) {
  co_return co_await put(through, request_to(without_slash(of.url) + of.health, door.host), door.timeout);
}

/// What came of that question; `unknown`: it could not be asked.
observation judged_health(const answered& got, const config::slot& of) {
  if (!got) return observation::fail(got.error().why, got.error().says);
  const auto unmet = first_unmet(of.expect, *got);
  return unmet ? observation::fail(unmet->why, unmet->says) : observation::pass(fmt::format("{}", got->status));
}

}  // namespace

std::string agent_with(const std::string& nonce) {
  return "flipback/" FLIPBACK_VERSION " " + nonce;
}

std::string query_with(const std::string& nonce) {
  return "flipback=" + nonce;
}

asio::awaitable<reply> ask_front_door(net::network& through, const config::front_door& door, std::string nonce) {
  auto request = request_to(door.url, door.host);
  if (request) {
    request->tls.ca_file = door.ca_file;
    request->tls.server_name = door.host.substr(0, door.host.find(':'));
    if (!nonce.empty()) {
      std::string& target = request->to.target;
      target += (target.contains('?') ? '&' : '?') + query_with(nonce);
      request->headers.emplace_back("User-Agent", nonce);
    }
  }
  const answered got = co_await put(through, std::move(request), door.timeout);
  co_return judged(got, door);
}

asio::awaitable<answers_at_once> ask_all(asio::io_context& loop, net::network& through, const config::configuration& configured) {
  const config::front_door& door = configured.deployment->front_door;
  answers_at_once got;
  got.slots.resize(configured.slots.size());
  task_group asked(loop, [](const std::string&) {});
  asked.spawn([](net::network& by, const config::front_door& to, reply& into) -> asio::awaitable<void> {
    into = co_await ask_front_door(by, to, {});
  }(through, door, got.door));
  for (std::size_t i = 0; i < configured.slots.size(); ++i) {
    asked.spawn([](net::network& by, const config::slot& to, const config::front_door& as, reply& into) -> asio::awaitable<void> {
      into = (co_await ask_slot(by, to, as)).self;
    }(through, configured.slots[i], door, got.slots[i]));
  }
  co_await asked.join();
  co_return got;
}

asio::awaitable<observation> health_of(net::network& through, const config::slot& of, const config::front_door& door) {
  const answered health = co_await ask_health(through, of, door);
  co_return judged_health(health, of);
}

asio::awaitable<slot_reply> ask_slot(net::network& through, const config::slot& of, const config::front_door& door) {
  slot_reply made;
  const answered health = co_await ask_health(through, of, door);
  const observation seen = judged_health(health, of);
  made.well = seen.result == outcome::pass;
  made.says = seen.says;
  made.not_asked = !health && seen.result == outcome::unknown;
  const auto asked = net::parse_url(door.url);
  if (!health || !asked || asked->target == of.health) {
    made.self = judged(health, door);
    co_return made;
  }
  const answered identity = co_await put(through, request_to(without_slash(of.url) + asked->target, door.host), door.timeout);
  made.self = judged(identity, door);
  co_return made;
}

}  // namespace flipback::deployment
