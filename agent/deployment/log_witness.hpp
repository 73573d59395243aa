#pragma once

#include "agent/config/configuration.hpp"
#include "agent/deployment/sighting.hpp"
#include "agent/rollback/nginx_configuration.hpp"
#include "probes/access_log/line_format.hpp"
#include "probes/access_log/tail.hpp"
#include "probes/nginx/slot_addresses.hpp"

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace flipback::deployment {

using nginx::slot_addresses;

/// An access log that says which upstream answered.
struct witness_log {
  std::string path;
  access_log::line_format format;
};

/// Of nginx's own configuration: those with $upstream_addr that no client can forge a line of. Where there are none (or nginx could not be
/// asked: null), of the configured `access_log` probes that read a file.
std::vector<witness_log> witness_logs(const rollback::nginx_configuration* nginx, const config::configuration& configured);

/// What nginx logged of a question of ours.
struct own_line {
  std::optional<slot_number> slot;  ///< nothing: nginx answered by itself (a cache), or passed it to what is no slot's
  std::string upstream;             ///< the last attempt's, as it is logged; empty: none was made
  std::optional<pid_t> worker;      ///< where the format has $pid
  unsigned status = 0;              ///< that the user gets
  unsigned upstream_status = 0;     ///< that the upstream gave in the last attempt; 0: none, or not logged
};

/// Reads nginx's access logs and says to which slot requests went.
class log_witness {
 public:
  static constexpr std::size_t most_a_look = 8 * access_log::tail::most_at_once;  ///< bytes a log; what is more is passed over

  /// `clock` is the wall's, as nginx on this host has it.
  log_witness(std::vector<witness_log> logs, slot_addresses addresses, std::size_t slots,
              std::function<wall_time()> clock = std::chrono::system_clock::now);

  /// Goes by these logs, formats and addresses from now on. A log that it read before it reads on from where it was; another one is begun
  /// at its end.
  void learn(std::vector<witness_log> logs, slot_addresses addresses);
  [[nodiscard]] const slot_addresses& addresses() const { return addresses_; }
  /// Whether the names of nginx's groups, as they were learned, are those of the nginx that runs (see `slot_addresses`).
  void believe_groups(bool are_nginxs) { addresses_.believe_groups(are_nginxs); }

  /// Goes to the ends: what was logged until now is not looked at.
  void mark();
  /// What was logged since the look before (or the mark). `nonce`: of the question that was sent last, or "". A question's line may come a
  /// moment after its answer: asked again with the same nonce, it says so then, and what is new since.
  ///
  /// Others' requests count where they are known to have begun after the look before, of those with the same nonce the first; of a log in
  /// whole seconds, or without $request_time, that can be said of few or none.
  log_sighting look(const std::string& nonce);
  /// The line of the question with the nonce that was looked for last; nothing: not yet.
  [[nodiscard]] const std::optional<own_line>& own() const { return own_; }

 private:
  struct open_log {
    std::string path;
    std::vector<access_log::line_format> formats;  ///< several blocks may write to one file, each in its own
    std::unique_ptr<access_log::tail> tail;
  };
  void take(open_log& from, std::string_view text, double since, log_sighting& into);
  void read(open_log& from, double since, log_sighting& into);
  [[nodiscard]] bool is_own(const access_log::line& read, std::string_view text) const;

  std::vector<open_log> logs_;
  slot_addresses addresses_;
  std::size_t slots_;
  std::function<wall_time()> clock_;
  double looked_ = 0;  ///< when the look before began, seconds since 1970
  double since_ = 0;   ///< from when on requests count: when the look before the newest question began
  std::string nonce_;
  std::optional<own_line> own_;
};

}  // namespace flipback::deployment
