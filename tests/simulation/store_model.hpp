#pragma once

#include "agent/deployment/decider.hpp"
#include "agent/rollback/journal_row.hpp"
#include "tests/simulation/clocks.hpp"

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace flipback::simulation {

template <typename T>
struct of_boot {
  T what;
  unsigned boot = 0;
};
struct stored_epoch {
  deployment::recollection was;
  deployment::doubts in_doubt;
  std::vector<deployment::departure> departures;
  unsigned boot = 0;
};

/// What is on disk of the facts that must outlast the process, as it was when each was written.
struct stored_facts {
  std::optional<stored_epoch> epoch;
  std::optional<of_boot<deployment::hold>> held;
  std::optional<of_boot<deployment::latch>> latched;
  std::optional<of_boot<std::vector<deployment::failure>>> failures;
};

/// What a restart is told: the facts, their times placed on this boot's clocks. What can't be placed for certain counts against acting.
deployment::started recalled(const stored_facts& kept, const moment& now, unsigned boot);
/// A copy of one fact as the state says it now.
void copy_fact(deployment::fact which, const deployment::state& s, const moment& now, unsigned boot, stored_facts& into);

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
