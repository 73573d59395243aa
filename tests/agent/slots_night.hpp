#pragma once

#include "agent/deployment/blame.hpp"
#include "agent/deployment/slots.hpp"
#include "tests/agent/log_night.hpp"

#include <algorithm>
#include <deque>
#include <random>
#include <string>
#include <utility>
#include <vector>

/// What users ask of two slots by night, and what these do with it. What a slot fails, it fails to users and to whoever asks it alike.
namespace flipback::deciding_night {

using deployment::slot_number;
using namespace std::chrono_literals;
using std::chrono::seconds;

inline constexpr slot_number blue = 0;
inline constexpr slot_number green = 1;

/// Some who ask alike: so many requests a second, each from any of their addresses, for any of their paths.
struct asking {
  double each_second = 0;
  bool evenly = false;  ///< as many in each second; else as chance has it
  const char* method = "GET";
  std::string path = "/api";  ///< of several what they begin with
  int paths = 1;
  std::string address = "203.0.113.7";  ///< the same
  int addresses = 1;
  seconds from = -24h;
};

/// From when to when a slot fails which share of what it is asked.
struct fault {
  slot_number slot;
  seconds from;
  seconds until;
  double share;
  bool sick = false;       ///< its health says so, too
  bool hangs = false;      ///< what it fails gets no answer from it, but nginx's 504 when a minute is over
  std::string under = {};  ///< what the paths begin with that it fails
};
inline constexpr seconds given_up_after = 60s;
inline constexpr log_night::request given_up{
    .status = 504, .request_time = "60.000", .upstream_status = "504", .header_time = "-", .response_time = "60.000"};

class two_slots {
 public:
  two_slots(const std::vector<asking>& who, std::vector<fault> faults, unsigned seed) : faults_(std::move(faults)), chance_(seed) {
    for (const asking& of : who)
      groups_.push_back({of, several(of.path + "/", of.path, of.paths), several(of.address, of.address, of.addresses)});
  }

  [[nodiscard]] bool sick(slot_number slot, seconds now) const {
    return std::ranges::any_of(faults_, [&](const fault& f) { return f.sick && is_of(f, slot, now); });
  }
  /// What is logged of the second from `now` on while that slot is live.
  std::vector<log_night::some> second_of(slot_number live, seconds now) {
    std::vector<log_night::some> logged;
    std::vector<log_night::some> hanging;
    for (const group& g : groups_) {
      for (int left = now < g.of.from ? 0 : so_many(g.of); left > 0; --left) {
        const char* path = any_of(g.paths).c_str();
        const fault* failed = failing(live, path, now);
        const bool hangs = failed != nullptr && failed->hangs;
        log_night::request r = failed == nullptr ? log_night::well : hangs ? given_up : log_night::failing;
        r.method = g.of.method;
        r.path = path;
        r.client = any_of(g.addresses).c_str();
        if (live == blue) r.upstream = log_night::of_blue.upstream;
        (hangs ? hanging : logged).push_back({1, r});
      }
    }
    hanging_.push_back(std::move(hanging));
    if (hanging_.size() > given_up_after.count()) {
      std::ranges::copy(hanging_.front(), std::back_inserter(logged));
      hanging_.pop_front();
    }
    return logged;
  }
  /// What a slot does when it is asked that once more.
  deployment::slot_did asked(slot_number slot, const std::string& path, seconds now) {
    using did = deployment::slot_did::kind;
    const fault* failed = failing(slot, path, now);
    if (failed != nullptr && failed->hangs) return {did::slow, 0};
    return {did::answered, failed != nullptr ? 500U : 200U};
  }
  std::mt19937& chance() { return chance_; }

 private:
  struct group {
    asking of;
    std::vector<std::string> paths;
    std::vector<std::string> addresses;
  };
  static std::vector<std::string> several(const std::string& begin, const std::string& one, int count) {
    std::vector<std::string> all;
    for (int i = 0; i < count; ++i) all.push_back(count == 1 ? one : begin + std::to_string(i));
    return all;
  }
  int so_many(const asking& of) {
    return of.evenly ? static_cast<int>(of.each_second) : std::poisson_distribution<int>(of.each_second)(chance_);
  }
  const std::string& any_of(const std::vector<std::string>& all) { return all.size() == 1 ? all.front() : all[chance_() % all.size()]; }
  static bool is_of(const fault& f, slot_number slot, seconds now) { return f.slot == slot && now >= f.from && now < f.until; }
  /// Null where the slot does it well.
  const fault* failing(slot_number slot, std::string_view path, seconds now) {
    const auto found = std::ranges::find_if(faults_, [&](const fault& f) {
      return is_of(f, slot, now) && path.starts_with(f.under) && std::uniform_real_distribution<>(0, 1)(chance_) < f.share;
    });
    return found == faults_.end() ? nullptr : &*found;
  }

  std::vector<fault> faults_;
  std::mt19937 chance_;
  std::vector<group> groups_;
  std::deque<std::vector<log_night::some>> hanging_;  ///< what began to hang in each second of the newest minute
};

}  // namespace flipback::deciding_night
