#include "agent/cli/rollback_line.hpp"

#include "agent/deployment/asking.hpp"
#include "agent/rollback/nginx.hpp"
#include "agent/rollback/slot_switch.hpp"

#include <fmt/format.h>

#include <utility>

namespace flipback::cli {

asio::awaitable<deployment::readiness> look_ready(asio::io_context& loop, const config::configuration& configured) {
  const asio::any_io_executor executor = loop.get_executor();
  const auto how = rollback::make_switch(executor, configured);
  const auto nginx = rollback::make_nginx(executor, configured.nginx);
  net::network through(executor, configured.agent.name_servers);
  deployment::answers_at_once answered = co_await deployment::ask_all(loop, through, configured);
  co_return co_await deployment::look_ready(*how, *nginx, configured, std::move(answered));
}

std::vector<std::string> rollback_lines(const deployment::readiness& found) {
  std::vector<std::string> lines;
  if (found.is_ready()) lines.emplace_back("rollback: ready");
  for (const deployment::lack& l : found.lacking)
    lines.push_back(fmt::format("rollback: {}: {}", l.blocking ? "not ready" : "lacking", text_of(l)));
  for (const std::string& note : found.notes) lines.push_back(fmt::format("rollback: note: {}", note));
  return lines;
}

observation as_observation(const deployment::readiness& found) {
  std::string blocking;
  std::string said = "ready";
  for (const deployment::lack& l : found.lacking) {
    std::string& into = l.blocking ? blocking : said;
    into += fmt::format("{}{}", into.empty() ? "" : "; ", text_of(l));
  }
  if (!blocking.empty()) return observation::fail(reason::expectation, fmt::format("not ready: {}", blocking));
  for (const std::string& note : found.notes) said += fmt::format("; {}", note);
  return observation::pass(std::move(said));
}

}  // namespace flipback::cli
