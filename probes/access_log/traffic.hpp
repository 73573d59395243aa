#pragma once

#include "flipback/probe.hpp"

#include "probes/access_log/abilities.hpp"
#include "probes/access_log/attempts.hpp"
#include "probes/access_log/failing_paths.hpp"
#include "probes/access_log/filter.hpp"
#include "probes/access_log/line_format.hpp"
#include "probes/access_log/tally.hpp"
#include "probes/nginx/slot_addresses.hpp"

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace flipback::access_log {

/// Who an address belongs to, as far as it tells: in IPv6 one client has a network of 64 bits, "2001:db8:1:2::/64". What is no address is
/// as it was.
std::string client_of(std::string_view address);

/// Holds each line against the rules of what counts. No I/O, no clock.
class traffic {
 public:
  traffic(line_format format, filter leave_out, double hang_after, const std::vector<slot_upstreams>& slots, double slow_after = 1);

  /// What users reach: requests that began after `since` count for this slot as the live one.
  struct live {
    std::optional<std::size_t> slot;  ///< nothing: it is not known
    std::optional<double> since{};    ///< seconds since 1970
    std::optional<double> anew{};     ///< the same: from when on its requests are counted apart, too
  };
  void goes_live(const live& now) { live_ = now; }
  /// How the slots' upstreams stand in the log, from now on: more is known of nginx.
  void goes_by(std::shared_ptr<const nginx::slot_addresses> addresses);

  /// `arrived` (seconds since 1970) stands for the time of a line that has none.
  void add(std::string_view text, std::optional<double> arrived = {});
  /// The line's own time, seconds since 1970, where it has one.
  std::optional<double> time_of(std::string_view text);
  /// What came since the last call.
  pool take();
  /// Forgets what came since the last call of the live slot: another one is live.
  void forget_live();
  /// Lines that came and could not be taken.
  void add_malformed(std::uint64_t lines) { since_.malformed += lines; }
  /// Which fields no line has had yet.
  [[nodiscard]] std::vector<field> missing() const;

 private:
  /// A line's attempts, and whose they were.
  struct route {
    attempts tries;
    std::array<std::optional<std::size_t>, attempts::most> slots;
    bool to_a_slot = false;
    std::optional<std::size_t> last_of_slots{};  ///< the newest attempt that went to one
    /// What the slot itself answered last, where something else answered after it (an internal redirect); 0: nothing did, or it gave none.
    [[nodiscard]] int before_it_left() const;
    [[nodiscard]] bool reached(std::size_t slot) const;
  };

  [[nodiscard]] route route_of(const line& of);
  const nginx::slot_addresses::owner& owner_of(std::string_view upstream);
  [[nodiscard]] bool is_local(const line& of, const route& by, int status) const;
  [[nodiscard]] bool is_headless(const attempts& tries) const;
  [[nodiscard]] std::optional<double> latency_of(const line& of, const attempts& tries) const;
  void count_local(int status);
  void note_error(const line& of, std::string_view text, bool is_lives);
  void sample(const line& of, std::string_view text, failed_sample& into);
  void count(tally& into, int status, bool hung, std::optional<double> latency) const;
  void count_attempts(const route& by, bool hung, bool slow_path);

  line_format format_;
  abilities can_tell_;
  filter leave_out_;
  double hang_after_;
  double slow_after_;
  std::size_t slot_count_;
  std::shared_ptr<const nginx::slot_addresses> addresses_;
  std::map<std::string, nginx::slot_addresses::owner, std::less<>> owners_;  ///< of the upstreams that were met: an answer costs more
  live live_;
  pool since_;
  failing_paths paths_;
  std::minstd_rand chance_;
  std::array<bool, field_count> seen_{};  ///< whether any line has had the field
};

}  // namespace flipback::access_log
