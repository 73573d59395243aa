#include "agent/deployment/door_lacks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace flipback::deployment {

namespace {

/// "blue itself answered 200, and green itself did not answer".
std::string of_slots(const answers_at_once& got, const std::vector<config::slot>& slots) {
  std::string text;
  for (std::size_t i = 0; i < got.slots.size() && i < slots.size(); ++i) {
    const reply& r = got.slots[i];
    text +=
        fmt::format("{}{} itself {}", text.empty() ? "" : ", and ", slots[i].name, r.is == reply::kind::silent ? "did not answer" : r.says);
  }
  return text;
}

/// Whether nginx, or what stands before it, gave the answer: a redirect or a refusal that no slot gives for the same path. A 5xx may be a
/// slot's at one time and not at the next; what else may be a cache's.
bool is_nobodys(const answers_at_once& got) {
  constexpr unsigned redirects = 300;
  constexpr unsigned server_errors = 500;
  const unsigned status = got.door.status;
  if (got.door.is != reply::kind::anonymous || status < redirects || status >= server_errors) return false;
  return std::ranges::find(got.slots, status, &reply::status) == got.slots.end();
}

lack lacking_identity(const answers_at_once& got, const config::configuration& configured) {
  const config::front_door& door = configured.deployment->front_door;
  // Where the identity is told it is the release that is not.
  const char* const key = door.identity && got.door.identity.empty() ? "identity" : "release";
  const bool slots_say_it =
      std::ranges::any_of(got.slots, [](const reply& r) { return r.is == reply::kind::identified && r.lacks.empty(); });
  std::string what = fmt::format("the front door {} answered {} without what front_door {} names: it has {}", door.url, got.door.status,
                                 key, got.door.lacks);
  if (slots_say_it)
    return {false, fmt::format("{}; {}", what, of_slots(got, configured.slots)),
            "let nginx pass on what the slots say of themselves, or set front_door url to what they answer"};
  return {false, std::move(what), fmt::format("set front_door {} to what the answer has, or take the key out", key)};
}

}  // namespace

std::optional<lack> door_lack(const answers_at_once& got, const config::configuration& configured, bool has_log) {
  const config::front_door& door = configured.deployment->front_door;
  if (got.door.is == reply::kind::silent)
    return lack{
        false, fmt::format("the front door {} does not answer ({}), so that nothing shows which slot users reach", door.url, got.door.says),
        "set front_door url to what users ask, or start nginx"};
  if (is_nobodys(got))
    return lack{false,
                fmt::format("the front door {} {}, and no slot answers so ({}): the answer is nginx's own, and shows no slot", door.url,
                            got.door.says, of_slots(got, configured.slots)),
                "set front_door url, and host, to what the API answers"};
  if (has_log) return got.door.lacks.empty() ? std::nullopt : std::optional(lacking_identity(got, configured));
  if (door.identity && got.door.is == reply::kind::identified) return std::nullopt;
  if (door.identity)
    return lack{false,
                fmt::format("nothing shows which slot users reach: the front door {} does not say which slot it is ({}), and no access log "
                            "names upstreams",
                            door.url, got.door.says),
                "set front_door identity to what its answer has, or give nginx's log_format $upstream_addr, $upstream_status and "
                "$http_user_agent"};
  return lack{false, "nothing shows which slot users reach: front_door has no identity, and no access log names upstreams",
              "give nginx's log_format $upstream_addr, $upstream_status and $http_user_agent, or set front_door identity"};
}

}  // namespace flipback::deployment
