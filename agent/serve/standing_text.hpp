#pragma once

#include "agent/config/configuration.hpp"
#include "agent/deployment/standing.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <utility>
#include <vector>

/// How the deployment stands, as the two forms in which it is told: `status` and `/healthz` take them from here.
namespace flipback::serve {

boost::json::object as_object(const deployment::standing& s, const std::vector<config::slot>& slots);
/// What a person reads: a word and what is so, a line each.
std::vector<std::pair<std::string, std::string>> as_lines(const deployment::standing& s);

}  // namespace flipback::serve
