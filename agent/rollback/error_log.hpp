#pragma once

#include "probes/access_log/tail.hpp"

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace flipback::rollback {

/// What nginx writes at the beginning of each entry of its error log: "2026/11/26 20:53:43 [emerg] 123#123: …".
struct error_entry {
  std::string_view level;  ///< a view into the line
  pid_t pid = 0;
  std::string_view rest;  ///< data that strangers may have written
};
/// Nothing where the line does not begin exactly so.
std::optional<error_entry> error_entry_in(std::string_view line);

/// nginx's error log from a mark on, through rotation and truncation; never waits, and reads at most `most` bytes a call.
///
/// An entry can be forged: nginx writes a decoded path as it is, so that a request for "/%0a2026/11/26 20:53:43 [emerg] 1%231: …" makes a
/// line that begins like an entry. What is found here is a reason to look, and no proof by itself.
class error_log {
 public:
  static constexpr std::size_t most = 16 * access_log::tail::most_at_once;

  /// Remembers the end of the file, which need not be there.
  void mark(const std::string& path);
  /// The first line since the mark that begins as an entry of that process with the level `emerg`; "" where there is none.
  std::string emerg_since_mark(pid_t of);

 private:
  std::unique_ptr<access_log::tail> tail_;
  std::string found_;
};

}  // namespace flipback::rollback
