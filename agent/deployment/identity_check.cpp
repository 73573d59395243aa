#include "agent/deployment/identity_check.hpp"

#include "agent/deployment/ask.hpp"

#include <fmt/format.h>

namespace flipback::deployment {

namespace {

using answered = net::result<net::http_answer>;

identity_answer judged(const answered& got, const identity_source& source) {
  identity_answer made;
  if (!got) {
    made.says = got.error().says;
    return made;
  }
  made.status = got->status;
  if (got->status >= 500) {
    made.is = identity_answer::kind::failing;
    made.says = fmt::format("answered {}", got->status);
    return made;
  }
  made.is = identity_answer::kind::anonymous;
  const std::string* age = got->header("Age");
  const auto release = identity_of(source, *got);
  if (age != nullptr && *age != "0") {
    made.says = fmt::format("answered {} from a cache", got->status);
  } else if (release) {
    made.is = identity_answer::kind::identified;
    made.release = *release;
    made.says = fmt::format("answered {} as {}", got->status, *release);
  } else {
    made.says = fmt::format("answered {} without its identity", got->status);
  }
  return made;
}

net::http_request request_to(const std::string& url, const std::string& host) {
  net::http_request made;
  if (auto parsed = net::parse_url(url)) made.to = std::move(*parsed);
  made.host = host;
  return made;
}

std::string without_slash(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

}  // namespace

asio::awaitable<identity_answer> ask_front_door(net::network& through, const config::front_door& door, duration limit) {
  net::http_request request = request_to(door.url, door.host);
  request.tls.ca_file = door.ca_file;
  request.tls.server_name = door.host.substr(0, door.host.find(':'));
  const answered got = co_await ask(through, std::move(request), limit);
  co_return judged(got, door.identity);
}

asio::awaitable<slot_answer> ask_slot(net::network& through, const config::slot& of, const config::front_door& door, duration limit) {
  slot_answer made;
  const answered health = co_await ask(through, request_to(without_slash(of.url) + of.health, door.host), limit);
  if (health) {
    const auto unmet = first_unmet(of.expect, *health);
    made.healthy = !unmet;
    made.says = unmet ? unmet->says : fmt::format("{}", health->status);
  } else {
    made.says = health.error().says;
  }
  const auto asked = net::parse_url(door.url);
  if (!health || !asked || asked->target == of.health) {
    made.identity = judged(health, door.identity);
    co_return made;
  }
  const answered identity = co_await ask(through, request_to(without_slash(of.url) + asked->target, door.host), limit);
  made.identity = judged(identity, door.identity);
  co_return made;
}

}  // namespace flipback::deployment
