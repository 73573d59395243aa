#pragma once

#include "agent/incident/report.hpp"

#include <string>

namespace flipback::incident {

/// How the rules of an incident went around it, as an SVG 1.1 document that needs nothing else: a panel for users' errors and for each rule
/// that was breached or pending, its value against its limit, a line at each turning point. Light or dark, as whoever looks at it has it.
std::string as_svg(const report& r);

}  // namespace flipback::incident
