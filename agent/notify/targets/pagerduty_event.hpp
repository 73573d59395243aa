#pragma once

#include "agent/notify/letter.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>
#include <vector>

/// Letters as PagerDuty's Events API v2 takes them (developer.pagerduty.com/docs/events-api-v2). Without `routing_key`, which the caller
/// adds.
namespace flipback::notify::pagerduty {

/// What is to be done with the alert of a letter's matter, in this order: "trigger", "acknowledge", "resolve".
///
/// - begun or changed: trigger; where somebody has acknowledged it, acknowledge, after a trigger where none was sent before.
/// - ended: resolve. An incident or alerts that are over before anything was sent call nobody. A notice that comes once, already ended, is
///   a trigger that stays until somebody resolves it there; a trial is a trigger and its end.
std::vector<std::string_view> actions_for(const letter& what, bool is_first);

/// One event that pages, at most 512,000 bytes as text.
boost::json::object event_of(const letter& what, std::string_view action, const std::string& source);
/// A change event: it pages nobody, and stands beside what pages.
boost::json::object change_of(const letter& what, const std::string& source);

}  // namespace flipback::notify::pagerduty
