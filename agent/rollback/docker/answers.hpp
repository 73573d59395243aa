#pragma once

#include "agent/rollback/nginx.hpp"
#include "probes/net/http_client.hpp"

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

/// What a Docker Engine answers, taken apart. Every error is a sentence's part that says what was found.
namespace flipback::rollback::docker {

/// The newest version of the API that both sides speak, from the answer to `GET /_ping`: "1.41".
std::expected<std::string, std::string> version_for_both(const net::http_answer& ping);

/// What went wrong, where the Engine says so; else the status alone.
std::string said_in(const net::http_answer& answer);

/// A container as `GET /containers/NAME/json` has it.
struct container {
  std::string id;
  std::string name;     ///< without the slash
  std::string status;   ///< "running", "paused", "restarting", "exited", …
  pid_t pid = 0;        ///< of its main process, on the Engine's host; 0: none
  std::string project;  ///< docker-compose's labels; empty: it is none of its
  std::string service;
  std::vector<std::string> mounts;  ///< where something is mounted in it
};
std::expected<container, std::string> container_in(const net::http_answer& answer);

/// The names in a list of containers.
std::expected<std::vector<std::string>, std::string> names_in(const net::http_answer& list);

/// A process as `GET /containers/ID/top` shows it, by its numbers on the Engine's host.
struct process_shown {
  pid_t pid = 0;
  pid_t parent = 0;
  std::string title;
};
std::expected<std::vector<process_shown>, std::string> processes_in(const net::http_answer& top);

/// nginx's workers among them; nothing where that process is not nginx's master.
std::optional<workers> workers_among(const std::vector<process_shown>& all, pid_t master);
/// How a process calls itself; "" where it is not there.
std::string title_of(const std::vector<process_shown>& all, pid_t pid);

/// Standard output and error, as they came, without the frames in which the Engine sends them. An error: they are no such frames.
std::expected<std::string, std::string> output_in(std::string_view frames);

/// The exit status of a command, from `GET /exec/ID/json`; nothing while it runs.
std::expected<std::optional<int>, std::string> status_in(const net::http_answer& answer);

}  // namespace flipback::rollback::docker
