#pragma once

#include "agent/notify/target.hpp"

/// The makers of every kind of target, one a file; registry.cpp lists them.
namespace flipback::notify {

std::unique_ptr<target> make_alertmanager_target(settings::section& from, net::network& through);
std::unique_ptr<target> make_command_target(settings::section& from, net::network& through);
std::unique_ptr<target> make_email_target(settings::section& from, net::network& through);
std::unique_ptr<target> make_pagerduty_target(settings::section& from, net::network& through);
std::unique_ptr<target> make_slack_target(settings::section& from, net::network& through);
std::unique_ptr<target> make_webhook_target(settings::section& from, net::network& through);

}  // namespace flipback::notify
