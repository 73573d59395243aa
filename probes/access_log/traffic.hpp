#pragma once

#include "flipback/probe.hpp"

#include "probes/access_log/attempts.hpp"
#include "probes/access_log/line_format.hpp"
#include "probes/access_log/tally.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace flipback::access_log {

/// What is left out of the traffic, beside Flipback's own requests.
struct filter {
  std::vector<std::string> health_paths{"/health"};  ///< exactly these
  std::vector<std::string> paths;                    ///< prefixes
  std::vector<std::string> hosts;
  std::vector<std::string> methods;
  std::vector<std::string> agents;  ///< prefixes
  /// Paths (prefixes) whose latency says nothing: event streams, long polls. They count as requests all the same.
  std::vector<std::string> slow_paths;
};

/// What a format lets us tell (semantics.md §2, "Traffic"). Without $upstream_addr every request counts; without $upstream_status there is
/// nothing to say of an attempt, so that slots can't be told apart.
struct abilities {
  explicit abilities(const line_format& format);
  bool upstreams;     ///< what nginx answered itself from what it passed on
  bool slots;         ///< how each attempt on a slot ended
  bool header_times;  ///< whether an attempt had an answer's header
  bool attempt_times;
  bool latency;
  bool time;
};

/// Who an address belongs to, as far as it tells: in IPv6 one client has a network of 64 bits, "2001:db8:1:2::/64". What is no address is
/// as it was.
std::string client_of(std::string_view address);

/// Holds each line against the rules of what counts. No I/O, no clock.
class traffic {
 public:
  traffic(line_format format, filter leave_out, double hang_after, std::vector<slot_upstreams> slots);

  void add(std::string_view text);
  /// The line's own time, seconds since 1970, where it has one.
  std::optional<double> time_of(std::string_view text);
  /// What came since the last call.
  pool take();
  /// Lines that came and could not be taken.
  void add_malformed(std::uint64_t lines) { since_.malformed += lines; }
  /// Which fields no line has had yet.
  [[nodiscard]] std::vector<field> missing() const;

 private:
  [[nodiscard]] bool counts(const line& of) const;
  [[nodiscard]] bool is_headless(const attempts& tries) const;
  [[nodiscard]] std::optional<double> latency_of(const line& of, const attempts& tries) const;
  void note_error(const line& of, std::string_view text);
  void count(tally& into, int status, bool hung, std::optional<double> latency) const;
  void count_attempts(const line& of, const attempts& tries, bool hung);
  [[nodiscard]] std::size_t slot_of(std::string_view upstream) const;

  line_format format_;
  abilities can_tell_;
  filter leave_out_;
  double hang_after_;
  std::vector<slot_upstreams> slots_;
  pool since_;
  std::minstd_rand chance_;
  std::array<bool, field_count> seen_{};  ///< whether any line has had the field
};

}  // namespace flipback::access_log
