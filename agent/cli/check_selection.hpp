#pragma once

#include "agent/cli/check.hpp"

#include <expected>
#include <optional>
#include <string>

namespace flipback::cli {

/// What `--check` asks.
struct selection {
  const config::configuration* whole = nullptr;  ///< as it was read; must outlive the selection
  config::configuration chosen;                  ///< with the probes alone that are asked, and as --slot has them
  std::optional<config::slot> health_of;         ///< the slot whose health is asked, too
  bool rollback = false;                         ///< whether a rollback could be carried out is asked, too
};

/// By --only, --skip and --slot. An error is a sentence on what selects nothing.
std::expected<selection, std::string> select(const config::configuration& configured, const check_options& options);

/// The report's line that is no probe's: whether a rollback could be carried out.
inline constexpr std::string_view rollback_line = "rollback";

}  // namespace flipback::cli
