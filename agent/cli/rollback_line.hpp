#pragma once

#include "flipback/observation.hpp"

#include "agent/config/configuration.hpp"
#include "agent/deployment/ready.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <string>
#include <vector>

/// Whether a rollback could be carried out on this host, for the verbs that run without an agent. Takes no lock: the agent that runs is
/// the one that acts. Leaves no trace.
namespace flipback::cli {

namespace asio = boost::asio;

/// The configuration has a deployment; it must outlive the wait.
asio::awaitable<deployment::readiness> look_ready(asio::io_context& loop, const config::configuration& configured);

/// Lines such as "rollback: ready" and "rollback: not ready: SENTENCE; what to type", without their ends.
std::vector<std::string> rollback_lines(const deployment::readiness& found);
/// The same as a line of `--check`: it passes where nothing blocks.
observation as_observation(const deployment::readiness& found);

}  // namespace flipback::cli
