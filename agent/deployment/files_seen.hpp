#pragma once

#include "flipback/units.hpp"

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace flipback::deployment {

/// Files as they were at a time, so that a change of any is seen: by device, inode, size and times, without reading them.
class files_seen {
 public:
  explicit files_seen(const std::vector<std::string>& paths);

  /// Watches these from now on. One that was watched already is held against what it was at the last `look`.
  void watch(const std::vector<std::string>& paths);
  /// Takes them all as they are now.
  void look();
  /// Whether any is another than it was then, or has come, or has gone.
  [[nodiscard]] bool differ() const;
  /// The newest change of any of them before the last `look`; nothing where there is none of them.
  [[nodiscard]] std::optional<wall_time> changed() const;

 private:
  /// All zero: there was none.
  struct identity {
    dev_t device = 0;
    ino_t inode = 0;
    std::int64_t size = 0;
    wall_time written;
    wall_time changed;  ///< the inode itself: a rename over another file, a new owner
    friend bool operator==(const identity&, const identity&) = default;
  };
  static identity now(const std::string& path);

  std::map<std::string, identity> seen_;
};

}  // namespace flipback::deployment
