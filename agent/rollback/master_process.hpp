#pragma once

#include "agent/rollback/nginx.hpp"

#include <sys/types.h>

#include <expected>
#include <optional>
#include <set>
#include <string>
#include <string_view>

/// What Linux's process table (/proc) says of nginx's master and its workers. Every call looks anew; none waits.
namespace flipback::rollback {

/// Whether a process is nginx's master: it is called a master process, and its executable is `binary` (the same file, or the one that stood
/// there before an upgrade). One whose executable can't be read has to be called "nginx: master process". An error is one sentence.
/// `elsewhere`: nginx may have a root folder of its own (a container), in which its executable is called the same.
std::expected<void, std::string> is_master(pid_t pid, const std::string& binary, bool elsewhere);

/// The processes that the master has started and that are there; nothing where they can't be seen. It starts none where it refuses a
/// configuration.
std::optional<std::set<pid_t>> children_of(pid_t master);

/// The workers among them. One that has just been started is none until it calls itself so.
std::optional<workers> workers_of(pid_t master);

/// What a process of nginx calls itself, without the program's name, which relatives of nginx have changed: "worker process is shutting
/// down".
std::string_view role_in(std::string_view title);
/// Adds a process where its title says that it is a worker.
void add_worker(workers& into, pid_t pid, std::string_view title);

/// When a process was started, to 10 ms; nothing where it is gone.
std::optional<wall_time> started_at(pid_t pid);

/// Whether a master has nothing to do: no HUP is pending, and it is not working on one. From the moment at which a HUP was sent until the
/// new workers are there and the old ones have been told to leave, or until the configuration was refused, this is false.
std::optional<bool> at_rest(pid_t master);

/// The process number by which the process knows itself, and writes of itself, in its own container.
pid_t pid_of_its_own(pid_t pid);

}  // namespace flipback::rollback
