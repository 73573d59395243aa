#pragma once

#include "agent/config/configuration.hpp"
#include "agent/deployment/slots.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <sys/types.h>

#include <expected>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace flipback::rollback {

namespace asio = boost::asio;
using deployment::answer;

/// What a command, or a question to the process table, came to. Can't tell: it hung, could not be started, or may have worked all the same.
struct done {
  answer is = answer::cant_tell;
  std::string says;  ///< for people, unless yes
};

/// nginx's workers as the process table shows them.
struct workers {
  std::set<pid_t> accepting;
  std::set<pid_t> leaving;  ///< "shutting down": they finish what they have, and accept nothing more
};

/// nginx as it is operated from outside: tested, reloaded and watched. One implementation for an nginx whose processes are on this host,
/// with a reloader of each kind in `reloaders/`; one for an nginx that its Docker Engine is asked for, in `docker/`; a fake in tests.
/// Decides nothing.
class nginx {
 public:
  virtual ~nginx() = default;

  /// `nginx -t` or the configured command. No: it ran and refused. Can't tell: it could not be run or did not end. Never without a pid file
  /// where nginx would write an empty one.
  virtual asio::awaitable<done> test() = 0;
  /// Makes nginx read its configuration again. Never no: a command that fails or hangs may have reloaded all the same.
  virtual asio::awaitable<done> reload() = 0;
  /// What `nginx -T` prints; nothing where it can't be had.
  virtual asio::awaitable<std::optional<std::string>> configuration() = 0;

  /// Looks anew at the processes of an nginx that has to be asked for; completes at once where the process table is at hand. Until the next
  /// one, `master` and `see_workers` say what was seen then.
  virtual asio::awaitable<void> refresh() = 0;
  /// The master's process number, its identity checked: the pid file or command names it, its executable is nginx's, or it is called a
  /// master and its executable can't be read. An error is one sentence.
  [[nodiscard]] virtual std::expected<pid_t, std::string> master() = 0;
  /// Where nginx, in a container, sees this file as a mount of the file alone: one that is renamed over it here would stay unseen there.
  /// Nothing: it does not, or that can't be told.
  [[nodiscard]] virtual std::optional<std::string> mounted_alone(const std::string& path) = 0;
  /// Nothing where the master or its workers can't be seen (another container, another user's /proc).
  [[nodiscard]] virtual std::optional<workers> see_workers() = 0;
  /// Whether every worker that accepts was started after that time; nothing where it can't be seen.
  [[nodiscard]] virtual std::optional<bool> workers_since(wall_time changed) = 0;

  /// Remembers the end of the error log.
  virtual void mark_errors() = 0;
  /// The first line since the mark that this master wrote itself with the level `emerg`; "" where there is none, or where it can't be told.
  /// A client can forge a line (a decoded %0a in a path), so one counts only once the master has nothing to do and no worker is new since
  /// the mark: until then, and where workers can't be seen, it is "".
  [[nodiscard]] virtual std::string emerg_since_mark() = 0;
  /// Where errors are logged, unless the settings say.
  virtual void logs_errors_to(const std::string& path) = 0;

  /// What would stop test or reload, a sentence each with what to type; empty: nothing would. Changes nothing, not even a pid file.
  virtual asio::awaitable<std::vector<std::string>> obstacles() = 0;
};

/// How a reload is asked for; one implementation a kind, each in its own file in `reloaders/`.
class reloader {
 public:
  virtual ~reloader() = default;
  virtual asio::awaitable<done> reload() = 0;
  /// What would stop it, with what to type; "" where nothing would.
  virtual asio::awaitable<std::string> obstacle() = 0;
};

/// Finds the master's process number; its own class, since a signal needs it as well as the proof.
class master_finder {
 public:
  virtual ~master_finder() = default;
  /// Read and checked in this call, of a pid file; of a command: what it printed last, checked in this call.
  virtual std::expected<pid_t, std::string> find() = 0;
  /// Asks the command anew; completes at once where there is none.
  virtual asio::awaitable<void> refresh() = 0;
};

std::unique_ptr<master_finder> make_master_finder(asio::any_io_executor executor, const config::nginx& settings);
std::unique_ptr<reloader> make_signal_reloader(master_finder& of);
std::unique_ptr<reloader> make_systemd_reloader(asio::any_io_executor executor, const config::nginx& settings);
std::unique_ptr<reloader> make_command_reloader(asio::any_io_executor executor, const config::nginx& settings);
std::unique_ptr<reloader> make_helper_reloader(asio::any_io_executor executor, const config::nginx& settings, master_finder& of);

/// Sends a signal to nginx's master, through a descriptor: between looking and signalling, the number might come to mean another process.
/// "" where it was sent, else one sentence; signal 0 only tries.
std::string signal_master(master_finder& of, int signal);

/// `nginx -t` and `-T` open the pid file and make an empty one where there is none: whoever starts or reloads nginx by it would find no
/// number in it. Why they are not to be run now; "": they may.
std::string why_not_to_test(const config::nginx& settings);
/// The program and its arguments with `-t`, `-T` or `-s reload`, as configured; a configured command has its own `-t` replaced.
std::vector<std::string> nginx_command(const config::nginx& settings, const std::vector<std::string>& action);
/// What a person types so that nginx tests its files and reads them anew, as a rollback would.
std::string reload_as_typed(const config::nginx& settings);

std::unique_ptr<nginx> make_docker_nginx(asio::any_io_executor executor, config::nginx settings);
/// As its settings say.
std::unique_ptr<nginx> make_nginx(asio::any_io_executor executor, config::nginx settings);

}  // namespace flipback::rollback
