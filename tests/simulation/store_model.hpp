#pragma once

#include "agent/deployment/facts.hpp"
#include "agent/rollback/journal_row.hpp"

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace flipback::simulation {

/// What is on disk of the facts that must outlast the process, each in the text that it was written as.
using stored_facts = std::array<std::optional<std::string>, deployment::all_facts.size()>;

/// The rollback's journal on disk: a beginning of what was to be written, as the real one sees to.
struct stored_journal {
  std::vector<rollback::row> rows;

  /// An attempt that was not forgotten, though it may have ended.
  [[nodiscard]] bool open() const { return !rows.empty(); }
  /// Empty where the row is taken.
  std::string take(const rollback::row& r) {
    const std::uint64_t next = rows.empty() ? 0 : rows.back().number + 1;
    if (r.number != 0 && r.number != next) return "a row out of order";
    if (r.number == 0 && !rows.empty()) return "another attempt is open";
    rows.push_back(r);
    return {};
  }
};

}  // namespace flipback::simulation
