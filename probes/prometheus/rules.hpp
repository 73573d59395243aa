#pragma once

#include "flipback/settings.hpp"

#include "probes/prometheus/api.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace flipback::prometheus {

/// Which alerts count.
struct alert_filter {
  std::map<std::string, std::vector<std::string>, std::less<>>
      labels;                        ///< each with the values that it may have; one not named may have any
  std::vector<std::string> ignored;  ///< names of alerts

  [[nodiscard]] bool takes(const json::value& labels_of_an_alert) const;
};

/// Reads `alert_filter` (a table of texts or lists) and `ignore_alerts`. By default those are left out that fire to show that alerting
/// works.
alert_filter read_alert_filter(settings::section& from);

/// What the rules of a server say now.
struct rules_state {
  struct firing_alerts {
    std::string name;
    std::string severity;
    std::size_t count = 0;  ///< of label sets
  };
  struct broken_rule {
    std::string name;
    std::string error;
  };
  std::vector<firing_alerts> firing;  ///< the filter's, by name and severity
  std::size_t pending = 0;            ///< the filter's label sets that do not fire yet
  std::size_t rules = 0;
  std::size_t unevaluated = 0;  ///< alerting rules that have not been looked at since the server started: nobody knows their alerts
  std::vector<broken_rule> broken;

  [[nodiscard]] std::size_t firing_count() const;
  [[nodiscard]] std::size_t firing_count(std::string_view severity) const;
};

/// The data of /api/v1/rules, which has the alerts too: they alone don't tell "none" from "not evaluated yet".
net::result<rules_state> read_rules(const json::value& data, const alert_filter& filter);

}  // namespace flipback::prometheus
