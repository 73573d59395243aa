#pragma once

#include "flipback/discretion.hpp"
#include "flipback/observation.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace flipback {

namespace asio = boost::asio;

namespace net {
class network;
}
namespace nginx {
class slot_addresses;
}

/// What a run is doing, for the sentence of a time-out: "timed out after 2s while connecting".
enum class phase : std::uint8_t { starting, resolving, connecting, handshaking, authenticating, asking, reading };
std::string_view name_of(phase p);

/// One run of a probe. The scheduler makes it, and cancels the run at the deadline.
struct run {
  instant started;
  instant deadline;
  phase now = phase::starting;  ///< kept up to date by whoever does the work
  std::string_view part{};      ///< which of several parts that is, for the same sentence: "step token"; must outlive the run
  discretion learned{};         ///< secrets that came up in this run: a session's token
};

/// One way to observe one thing. A probe does its work once for each call; interval, spread, deadline and overlap belong to the
/// scheduler. A run that is cancelled may throw boost::system::system_error(operation_aborted); any other exception is a bug.
class probe {
 public:
  virtual ~probe() = default;

  /// What it may measure beside what every probe gives (up, reachable, latency, consecutive_failures, failure_ratio).
  [[nodiscard]] virtual std::span<const measurement_declaration> declares() const = 0;
  virtual asio::awaitable<observation> observe(run& r) = 0;
  /// The same, and nothing of what it says repeats a secret that it was given or that came up meanwhile: whoever runs probes asks so.
  asio::awaitable<observation> look(run& r);
  /// No word of its may repeat these.
  void keep_secret(std::span<const secret> all) { hides_ = discretion(all); }

  /// Why no rollback may rest on what it observes; empty: it may.
  [[nodiscard]] virtual std::string unfit_to_act() const { return {}; }
  /// Why a person is to decide where a rollback rests on what it observes; empty: nobody need be asked.
  [[nodiscard]] virtual std::string doubtful_to_act() const { return {}; }

  /// Work between the runs (following a file), started once with the probe and cancelled with it. Most have none.
  [[nodiscard]] virtual bool follows() const { return false; }
  virtual asio::awaitable<void> follow();

 private:
  discretion hides_;
};

/// A slot as a probe may need to know it: to tell whose request a log line is.
struct slot_upstreams {
  std::string slot;
  std::vector<std::string> upstreams;  ///< "127.0.0.1:8000", "unix:/run/api.sock", or nginx's name for the group
};

/// An access log as nginx's own configuration has it.
struct access_log_directive {
  std::string path;
  std::string format;        ///< the text of its log_format; empty: not found
  bool conditional = false;  ///< `if=`: only some requests are in it
  bool buffered = false;     ///< `buffer=` or `gzip`, and no `flush=` of 5 s at most: lines come late
  bool forgeable = false;    ///< escape=none: clients can write lines of their own
};

/// An upstream block, or a host's name that requests are passed to, which nginx makes a group of by itself. nginx logs a group's name in
/// the place of an address where it found no server of it that was up.
struct upstream_group {
  std::string name;
  std::vector<std::string> servers;  ///< as they are written: "127.0.0.1:8000", "unix:/run/api.sock", "localhost"
  bool is_block = true;
  friend bool operator==(const upstream_group&, const upstream_group&) = default;
};

/// What nginx's configuration says, as far as probes need it. Known once nginx has been asked, if it can be.
struct nginx_facts {
  bool known = false;
  std::vector<access_log_directive> access_logs;
  std::shared_ptr<const nginx::slot_addresses>
      addresses{};  ///< of the slots, with nginx's groups; null: the slots' `upstreams` alone are known
};

/// Which slot users reach, as far as the agent knows. A probe that counts requests may count those of the live slot apart.
struct live_facts {
  std::optional<std::size_t> slot;  ///< its number among the slots; nothing: it is not known
  std::optional<instant> since;     ///< the newest cutover; nothing: it is live for as long as can be told
  std::optional<instant>
      anew;  ///< both slots were asked for what fails, and failed or were well alike; requests begun after it are counted apart
  std::uint64_t turn = 0;  ///< raised whenever another slot or release goes live: nothing counted before is of what is live now
};

/// What the world outside of its own table gives a probe when it is made.
struct surroundings {
  asio::any_io_executor executor;
  net::network& network;
  std::vector<slot_upstreams> slots;
  std::shared_ptr<const nginx_facts> nginx{};  ///< null: nobody asks nginx
  std::shared_ptr<const live_facts> live{};    ///< null: nobody tells which slot is live
  duration every{};                            ///< the interval of the probe that is made
};

}  // namespace flipback
