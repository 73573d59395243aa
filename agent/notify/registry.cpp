#include "agent/notify/target.hpp"
#include "agent/notify/targets/kinds.hpp"

#include <algorithm>
#include <array>

namespace flipback::notify {

namespace {

constexpr std::array kinds{
    target_kind{"alertmanager", "a Prometheus Alertmanager: one alert a matter", make_alertmanager_target},
    target_kind{"command", "a program of one's own: the letter as JSON on its standard input", make_command_target},
    target_kind{"email", "mail by an SMTP server: one thread a matter", make_email_target},
    target_kind{"pagerduty", "a PagerDuty service: it pages, acknowledges and resolves; cutovers are changes there", make_pagerduty_target},
    target_kind{"slack", "a Slack channel: one message a matter, edited, with what is new in its thread; or an incoming webhook",
                make_slack_target},
    target_kind{"webhook", "any HTTP address: the letter as JSON, or a body of one's own", make_webhook_target},
};

}  // namespace

std::span<const target_kind> target_kinds() {
  return kinds;
}

const target_kind* find_target_kind(std::string_view type) {
  const auto* const at = std::ranges::find(kinds, type, &target_kind::type);
  return at == kinds.end() ? nullptr : at;
}

}  // namespace flipback::notify
