#pragma once

#include "agent/rollback/change.hpp"
#include "tests/simulation/clocks.hpp"
#include "tests/simulation/setup.hpp"

#include <map>
#include <string>
#include <vector>

namespace flipback::simulation {

using rollback::file_change;
using rollback::file_image;

file_image regular_file(std::string bytes);
file_image link_to(std::string target);

/// A disk that keeps what was synced, and of the rest what it likes.
class disk_model {
 public:
  enum class author : std::uint8_t { nobody, person, agent };
  struct entry {
    file_image seen;    ///< what processes see
    file_image kept;    ///< what a power loss leaves for certain
    wall_time changed;  ///< by the wall's clock of then
    author by = author::nobody;
    author before = author::nobody;  ///< of what the agent put away
    bool torn = false;               ///< a power loss has taken what was written last, or half of it
  };

  [[nodiscard]] const file_image& read(const std::string& path) const;
  [[nodiscard]] const entry* find(const std::string& path) const;
  [[nodiscard]] const std::map<std::string, entry>& all() const { return entries_; }

  /// What stands there from the beginning, or what somebody writes and syncs.
  void place(const std::string& path, file_image image, wall_time at, author by);
  /// As `cp` does it: nothing is synced until the kernel comes round to it.
  void copy_over(const std::string& path, file_image image, wall_time at);
  void sync_all();

  /// As put_file does it: compared, written beside, synced, renamed, the folder synced. `cut`: the process dies after the rename.
  rollback::put_result put(const file_change& c, rollback::end to, const faults& now, bool staged, wall_time at, bool folder_synced);
  [[nodiscard]] rollback::change_state state_of(const file_change& c) const;

  /// True where something was not synced.
  bool lose_power(dice& chance);

 private:
  std::map<std::string, entry> entries_;
};

}  // namespace flipback::simulation
