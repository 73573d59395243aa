#pragma once

#include "probes/declarations.hpp"
#include "probes/prometheus/rules.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flipback::prometheus {

/// What is looked at, as the keys have it.
enum class facet : std::uint8_t { targets, alerts, rules, config };
inline constexpr std::array<std::string_view, 4> facets{"targets", "alerts", "rules", "config"};

/// A job or a severity that was named, and what its count is measured as.
struct counted {
  std::string name;
  std::string_view measured_as;
};

/// What the probe of a server is told to look at.
struct terms {
  net::api_access access;
  std::array<bool, facets.size()> looks{};
  std::array<bool, facets.size()> fails{};
  std::vector<counted> jobs;  ///< that must have targets, and whose targets alone count; empty: whichever there are
  std::vector<std::string> ignored_jobs;
  alert_filter alerts;
  std::vector<counted> severities;

  [[nodiscard]] bool looks_at(facet f) const { return looks.at(static_cast<std::size_t>(f)); }
  /// Whether what is bad of it fails the probe, or is measured and said only.
  [[nodiscard]] bool fails_by(facet f) const { return fails.at(static_cast<std::size_t>(f)); }
  [[nodiscard]] bool counts_job(std::string_view job) const;  ///< where none were named
};

terms read_terms(settings::section& from, declarations& declared);

}  // namespace flipback::prometheus
