#pragma once

#include "tests/simulation/world.hpp"

#include <array>
#include <functional>
#include <optional>
#include <string>

namespace flipback::simulation {

/// Keeps facts as the real keeper does: the newest value wins, one write of a fact is under way at a time, one that failed is tried again.
/// What is told speaks of the newest value that was handed over.
class fact_writer {
 public:
  using later = std::function<void(duration, std::function<void()>)>;
  using outcome = std::function<void(deployment::fact, const std::string& trouble)>;
  fact_writer(world& in, later by, outcome told) : world_(in), later_(std::move(by)), told_(std::move(told)) {}

  void keep(deployment::fact which, const deployment::state& as_it_is);
  /// Calls once everything that was handed over until now is on disk.
  void when_all_kept(std::function<void()> then);

 private:
  struct standing {
    std::optional<stored_facts> wanted;  ///< only the one fact of it counts
    std::uint64_t version = 0;
    std::uint64_t kept = 0;
    bool writing = false;
    bool told = true;  ///< of this version
  };
  void write(deployment::fact which);
  void check_waiting();

  world& world_;
  later later_;
  outcome told_;
  std::array<standing, 4> facts_;
  struct waiting {
    std::array<std::uint64_t, 4> versions;
    std::function<void()> then;
  };
  std::vector<waiting> waiting_;
};

}  // namespace flipback::simulation
