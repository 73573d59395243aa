#pragma once

#include "agent/cli/check_report.hpp"

#include <string>
#include <vector>

/// What `--check` found, for programs: each as its own standard has it, whole and well formed whatever others wrote. Pure.
namespace flipback::cli {

/// JUnit's XML, as Jenkins, GitLab and GitHub read it: a probe is a test case; one of which nothing can be told is an error, no failure.
std::string junit(const std::vector<checked>& all, duration took, wall_time began);
/// The Test Anything Protocol, 13: a probe of which nothing can be told is skipped.
std::string tap(const std::vector<checked>& all);
/// A line as Nagios and Icinga take it, with how long each probe took, in seconds.
std::string nagios(const std::vector<checked>& all, duration took);
/// Metrics, for node_exporter's textfile collector.
std::string prometheus(const std::vector<checked>& all, duration took);

}  // namespace flipback::cli
