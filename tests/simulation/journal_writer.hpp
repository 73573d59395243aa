#pragma once

#include "tests/simulation/world.hpp"

#include <deque>
#include <functional>
#include <string>

namespace flipback::simulation {

/// The agent's side of the journal: rows are written one after the other, each tried until the disk takes it, and forgotten in their turn.
class journal_writer {
 public:
  using later = std::function<void(duration, std::function<void()>)>;
  journal_writer(world& in, later by) : world_(in), later_(std::move(by)) {}

  /// `then` is called with what stands in the way, at the latest after 2 s; it may be empty.
  void write(const rollback::row& what, std::function<void(const std::string&)> then);
  /// The attempt is over, and what came of it is kept elsewhere.
  void forget(const std::string& id);

 private:
  void next();
  void again(duration wait);

  static constexpr duration patience = seconds(2);
  struct job {
    std::uint64_t number = 0;
    std::string forgets;  ///< the attempt
    rollback::row what;
    std::function<void(const std::string&)> then;
  };
  world& world_;
  later later_;
  std::deque<job> jobs_;
  std::uint64_t numbered_ = 0;
  bool writing_ = false;
};

}  // namespace flipback::simulation
