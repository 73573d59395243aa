#pragma once

#include "tests/simulation/world.hpp"

#include <array>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace flipback::simulation {

/// Keeps facts as the real keeper does: the newest value wins, one write of a fact is under way at a time, one that failed is tried again.
/// Each value that was
/// handed over is told of once; and a fact's standing when it changes.
class fact_writer {
 public:
  using later = std::function<void(duration, std::function<void()>)>;
  /// The serial is that of a `keep`; 0: of none, the fact's standing has changed.
  using outcome = std::function<void(deployment::fact, std::uint64_t serial, const std::string& trouble)>;
  fact_writer(world& in, later by, outcome told) : world_(in), later_(std::move(by)), told_(std::move(told)) {}

  void keep(deployment::fact which, std::uint64_t serial, const deployment::state& as_it_is);
  /// Calls once everything that was handed over until now is on disk.
  void when_all_kept(std::function<void()> then);

 private:
  struct standing {
    std::optional<stored_facts> wanted;  ///< only the one fact of it counts
    std::uint64_t version = 0;
    std::uint64_t kept = 0;
    bool writing = false;
    bool ill = false;                                ///< the newest thing that was told of it is a trouble
    std::map<std::uint64_t, std::uint64_t> waiting;  ///< serial → the version that it waits for
  };
  void write(deployment::fact which);
  void settle(deployment::fact which, std::uint64_t version, const std::string& trouble);
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
