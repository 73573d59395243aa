#include "agent/notify/targets/answered.hpp"
#include "agent/notify/targets/host_name.hpp"
#include "agent/notify/targets/kinds.hpp"
#include "agent/notify/targets/pagerduty_event.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cctype>

namespace flipback::notify {

namespace {

namespace json = boost::json;

constexpr std::string_view was_sent = "sent";  // all that the next letter needs to know: the alert's key is the matter's

struct terms {
  net::api_access access;
  secret routing_key;
  std::string source;
};

class pagerduty_target final : public target {
 public:
  pagerduty_target(net::network& through, terms t) : through_(through), terms_(std::move(t)) {}

  [[nodiscard]] bool takes(subject) const override { return true; }

  asio::awaitable<attempt> deliver(const letter& what, const std::string& kept, run& r) override {
    net::api_session session(through_, terms_.access, r);
    attempt made;
    made.kept = was_sent;
    if (what.about == subject::cutover) {
      // A change event can't be changed: the first letter of a cutover is all of it.
      if (kept.empty()) made = co_await post(session, "/v2/change/enqueue", pagerduty::change_of(what, terms_.source));
      co_return made;
    }
    for (const std::string_view action : pagerduty::actions_for(what, kept.empty())) {
      made = co_await post(session, "/v2/enqueue", pagerduty::event_of(what, action, terms_.source));
      if (made.is != attempt::result::delivered) break;
    }
    co_return made;
  }

 private:
  asio::awaitable<attempt> post(net::api_session& session, std::string path, json::object event) const {
    event["routing_key"] = terms_.routing_key.reveal();
    const auto answer = co_await session.post(std::move(path), json::serialize(event));
    attempt made = attempt_of(answer, terms_.access);
    if (made.is == attempt::result::delivered) made.kept = was_sent;
    co_return made;
  }

  net::network& through_;
  terms terms_;
};

secret read_routing_key(settings::section& from) {
  constexpr std::size_t size = 32;
  const auto key = from.hidden("routing_key");
  if (!key) {
    if (!from.has("routing_key") && !from.has("routing_key_file"))
      from.report("routing_key", "is missing, expected the integration key of a service's Events API v2");
    return {};
  }
  const bool fits =
      key->reveal().size() == size && std::ranges::all_of(key->reveal(), [](unsigned char c) { return std::isalnum(c) != 0; });
  if (!fits)
    from.report(from.has("routing_key") ? "routing_key" : "routing_key_file",
                "holds something else than the 32 letters and digits of an integration key (Events API v2)");
  return *key;
}

}  // namespace

std::unique_ptr<target> make_pagerduty_target(settings::section& from, net::network& through) {
  terms t;
  t.access = net::read_api_access(from, "url", "https://events.pagerduty.com");
  t.routing_key = read_routing_key(from);
  t.access.secrets.push_back(t.routing_key);
  t.source = read_source(from);
  from.finish();
  return std::make_unique<pagerduty_target>(through, std::move(t));
}

}  // namespace flipback::notify
