#include "agent/rollback/docker/engine.hpp"

#include "flipback/percent.hpp"
#include "flipback/quoted.hpp"

#include "agent/deployment/ask.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace flipback::rollback::docker {

namespace {

constexpr duration between_looks_for_its_end = std::chrono::milliseconds(20);  // the Engine notes a status after the output's end

net::endpoint endpoint_of(const std::string& place) {
  if (place.starts_with('/')) return {{}, 0, place};
  return net::parse_endpoint(place).value_or(net::endpoint{});
}

std::string labels(const container& of) {
  return boost::json::serialize(boost::json::object{
      {"label", boost::json::array{"com.docker.compose.project=" + of.project, "com.docker.compose.service=" + of.service}}});
}

std::string how_to_run(const container& found) {
  if (found.status == "paused") return fmt::format("docker unpause {}", found.name);
  if (found.status == "restarting") return fmt::format("docker logs {}", found.name);
  return fmt::format("docker start {}", found.name);
}

}  // namespace

engine::engine(asio::any_io_executor executor, const config::nginx& settings)
    : through_(std::move(executor)), name_(settings.container), place_(settings.docker), to_(endpoint_of(settings.docker)) {}

std::string engine::troubled(std::string_view what) const {
  return fmt::format("the Docker Engine at {} {}", place_, what);
}

std::string engine::unreachable(const net::failure& why) const {
  struct stat is{};
  const std::string& path = to_.socket_path;
  if (!path.empty() && ::stat(path.c_str(), &is) != 0 && errno == ENOENT)
    return fmt::format("there is no socket {} of a Docker Engine: mount it (Docker: -v /var/run/docker.sock:{}), or set [nginx] docker",
                       path, path);
  if (!path.empty() && ::access(path.c_str(), R_OK | W_OK) != 0 && errno == EACCES)
    return fmt::format(
        "user {} may not use {}, which belongs to group {}: give it that group (Docker: --group-add {}; systemd: SupplementaryGroups={})",
        ::geteuid(), path, is.st_gid, is.st_gid, is.st_gid);
  return fmt::format("the Docker Engine at {} can't be asked: {}; start it, or set [nginx] docker to where it is", place_, why.says);
}

asio::awaitable<net::result<net::http_answer>> engine::send(std::string method, std::string path, std::string body, instant until,
                                                            std::size_t most) {
  net::http_request request;
  request.method = std::move(method);
  request.to.to = to_;
  request.to.target = std::move(path);
  request.host = "docker";
  if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  request.body = std::move(body);
  request.answer_limit = most;
  const duration left = until - std::chrono::steady_clock::now();
  co_return co_await deployment::ask(through_, std::move(request), std::max<duration>(left, std::chrono::milliseconds(1)));
}

asio::awaitable<std::expected<net::http_answer, std::string>> engine::ask(std::string method, std::string path, instant until,
                                                                          std::string body, std::size_t most) {
  const auto ping = co_await send("GET", "/_ping", {}, until, most);
  if (!ping) co_return std::unexpected(unreachable(ping.error()));
  const auto version = version_for_both(*ping);
  if (!version) co_return std::unexpected(fmt::format("{}; set [nginx] docker to a Docker Engine", troubled(version.error())));
  const std::string asked = fmt::format("{} {}", method, path.substr(0, path.find('?')));
  auto answer = co_await send(std::move(method), fmt::format("/v{}{}", *version, path), std::move(body), until, most);
  if (!answer)
    co_return std::unexpected(
        fmt::format("the Docker Engine at {} did not answer {}: {}; type `docker ps`", place_, asked, answer.error().says));
  if (answer->status == 403)
    co_return std::unexpected(fmt::format("{} to {}: let the proxy in front of it pass that", troubled(said_in(*answer)), asked));
  co_return *std::move(answer);
}

asio::awaitable<std::expected<engine::found, std::string>> engine::look(instant until) {
  const auto inspected = co_await ask("GET", fmt::format("/containers/{}/json", name_), until);
  if (!inspected) co_return std::unexpected(inspected.error());
  if (inspected->status == 404)
    co_return std::unexpected(
        fmt::format("there is no container {}: type `docker ps -a`, and set [nginx] container to nginx's name", name_));
  auto is = container_in(*inspected);
  if (!is) co_return std::unexpected(fmt::format("{}; type `docker inspect {}`", troubled(is.error()), name_));
  // A name that is no container's may be the beginning of another's number.
  if (is->name != name_ && !(name_.size() >= 12 && is->id.starts_with(name_)))
    co_return std::unexpected(fmt::format(
        "there is no container {}, but {} by that beginning of its id: type `docker ps -a`, and set [nginx] container to nginx's name",
        name_, is->name));
  if (is->status != "running" || is->pid == 0)
    co_return std::unexpected(fmt::format("container {} is {}, expected running: type `{}`", name_, is->status, how_to_run(*is)));
  const auto top = co_await ask("GET", fmt::format("/containers/{}/top", is->id), until);
  if (!top) co_return std::unexpected(top.error());
  const auto all = processes_in(*top);
  if (!all) co_return std::unexpected(fmt::format("{}; type `docker top {}`", troubled(all.error()), name_));
  auto seen = workers_among(*all, is->pid);
  if (!seen)
    co_return std::unexpected(fmt::format(
        "the main process of container {} is {}, expected nginx's master, whose workers show what became of a reload: begin nginx in the "
        "entrypoint with `exec nginx -g 'daemon off;'`, or set [nginx] reload = \"command\" with reload_command = [\"docker\", "
        "\"exec\", \"{}\", \"nginx\", \"-s\", \"reload\"]",
        name_, in_quotes(title_of(*all, is->pid), {}, 60), name_));
  co_return found{*std::move(is), *std::move(seen)};
}

asio::awaitable<std::expected<engine::found, std::string>> engine::find(instant until) {
  auto is = co_await look(until);
  if (!is || is->container.service.empty()) co_return is;
  const auto list = co_await ask("GET", fmt::format("/containers/json?filters={}", percent_encoded(labels(is->container))), until);
  if (!list) co_return std::unexpected(list.error());
  const auto names = names_in(*list);
  if (!names) co_return std::unexpected(fmt::format("{}; type `docker ps`", troubled(names.error())));
  if (names->size() > 1)
    co_return std::unexpected(
        fmt::format("docker-compose's service {} runs in {} containers ({}), and {} alone would be reloaded: type "
                    "`docker-compose up -d --scale {}=1`",
                    is->container.service, names->size(), fmt::join(*names, ", "), name_, is->container.service));
  co_return is;
}

asio::awaitable<ran> engine::run(const container& in, std::vector<std::string> argv, instant until, std::size_t most) {
  const boost::json::object wanted{{"AttachStdout", true}, {"AttachStderr", true}, {"Cmd", boost::json::array(argv.begin(), argv.end())}};
  const auto made = co_await ask("POST", fmt::format("/containers/{}/exec", in.id), until, boost::json::serialize(wanted));
  if (!made) co_return std::unexpected(made.error());
  const auto read = made->status == 201 ? made->json() : net::result<net::json_document>(std::unexpected(net::failure{}));
  const std::string id = read ? net::text_at(*read, "/Id").value_or("") : std::string();
  if (id.empty() || id.find_first_not_of("0123456789abcdef") != std::string::npos)
    co_return std::unexpected(fmt::format("{} to `docker exec {} {}`", troubled(said_in(*made)), name_, argv.front()));
  const auto output = co_await ask("POST", fmt::format("/exec/{}/start", id), until, R"({"Detach":false,"Tty":false})", most);
  if (!output) co_return std::unexpected(output.error());
  auto printed = output->status == 200 ? output_in(output->body) : std::unexpected(said_in(*output));
  if (!printed) co_return std::unexpected(fmt::format("{}: `docker exec {} {}`", troubled(printed.error()), name_, argv.front()));
  for (;;) {
    const auto inspected = co_await ask("GET", fmt::format("/exec/{}/json", id), until);
    if (!inspected) co_return std::unexpected(inspected.error());
    const auto status = status_in(*inspected);
    if (!status) co_return std::unexpected(troubled(status.error()));
    if (*status) co_return process::finished{**status, false, *std::move(printed), {}};
    if (std::chrono::steady_clock::now() >= until) co_return process::finished{0, true, *std::move(printed), {}};
    asio::steady_timer pause(through_.executor(), between_looks_for_its_end);
    co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

asio::awaitable<std::expected<void, std::string>> engine::hang_up(const container& whose, instant until) {
  const auto answer = co_await ask("POST", fmt::format("/containers/{}/kill?signal=HUP", whose.id), until);
  if (!answer) co_return std::unexpected(answer.error());
  if (answer->status != 204) co_return std::unexpected(troubled(said_in(*answer)));
  co_return std::expected<void, std::string>{};
}

}  // namespace flipback::rollback::docker
