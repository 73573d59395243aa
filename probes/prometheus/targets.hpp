#pragma once

#include "probes/prometheus/api.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace flipback::prometheus {

/// A target that is down, and why.
struct down_target {
  std::string job;
  std::string instance;
  std::string error;
};

/// What a server says of the targets that it scrapes. The series `up` would be a smaller answer, but it goes on for five minutes after a
/// target was taken out of the configuration, and says nothing of one that was not scraped yet.
struct targets_state {
  std::size_t all = 0;
  std::size_t unscraped = 0;
  std::vector<down_target> down;

  [[nodiscard]] std::size_t up() const { return all - unscraped - down.size(); }
  /// Whether how many are down means anything: of a server that has just started it does not.
  [[nodiscard]] bool is_known() const { return all > unscraped; }
  void add(targets_state other);
};

/// The path to ask for them; `job` (its name in the configuration) for its targets alone, empty for all.
std::string targets_path(std::string_view job);

/// From the answer's data those of the jobs that are wanted: before 2.42 a server gives every job's, whichever was asked for.
net::result<targets_state> read_targets(const json::value& data, const std::function<bool(std::string_view)>& wanted);

}  // namespace flipback::prometheus
