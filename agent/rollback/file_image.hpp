#pragma once

#include "agent/rollback/change.hpp"

#include <expected>
#include <string>
#include <string_view>

/// Reading and replacing single files so that a crash at any instant leaves the old one or the new one, whole.
namespace flipback::rollback {

inline constexpr std::size_t largest_live_file = 1024 * 1024;  ///< bytes

/// Reads what is at a path: a link is read as a link, a regular file of at most `largest_live_file`. Never blocks on a FIFO or a device and
/// follows no link: anything else than a regular file or a link is an error, which is one sentence with the path and what to do.
std::expected<file_image, std::string> read_image(const std::string& path);

/// The same, of the file behind the links that lead there; `resolved` becomes its real path.
std::expected<file_image, std::string> read_behind(const std::string& path, std::string& resolved);

/// How the path stands beside the two images of a change.
change_state state_of(const file_change& c);

/// Puts the path to one end of the change, if it says what the other end says (else: foreign; where it is there already: done). Beside it in a
/// dotfile, which nginx's include patterns pass over: written, owner and mode of what was there set (refused where they can't be), synced,
/// what stands there compared once more, renamed, the folder synced. `in_place` writes into the file itself, for a file that is a mount
/// point and can't be renamed over. What is to be absent is unlinked.
put_result put_file(const file_change& c, end to, bool in_place);

/// Makes room beside `path` for a file of this size, so that a full disk does not stop `put_file`: kept until `unstage` or used up by it.
std::expected<void, std::string> stage(const std::string& path, std::size_t bytes);
void unstage(const std::string& path);

/// Takes away what an attempt that was cut off left beside the path, the staged room too. Never a lock.
void sweep(const std::string& path);

/// Whether `put_file` could do its work here, tried without leaving a trace: "" where it can, else one sentence on what stands in the way and
/// what to type.
std::string obstacle_to_put(const std::string& path, bool in_place);

/// A lock beside a live file (".NAME.flipback-lock", flock), so that one agent acts on one nginx; other containers that share the folder see
/// it too. Held as long as the object lives and by the process, not its children. The file stays.
class live_lock {
 public:
  /// An error: another agent holds it, or it can't be made; one sentence.
  static std::expected<live_lock, std::string> take(const std::string& live_path);
  live_lock(live_lock&& other) noexcept;
  live_lock& operator=(live_lock&& other) noexcept;
  ~live_lock();

 private:
  explicit live_lock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

}  // namespace flipback::rollback
