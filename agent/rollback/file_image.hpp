#pragma once

#include "flipback/descriptor.hpp"

#include "agent/rollback/change.hpp"

#include <expected>
#include <string>
#include <string_view>
#include <utility>

/// Reading and replacing single files so that a crash at any instant leaves the old one or the new one, whole.
namespace flipback::rollback {

inline constexpr std::size_t largest_live_file = 1024 * 1024;  ///< bytes

/// Reads what is at a path: a link is read as a link, a regular file of at most `largest_live_file`. Never blocks on a FIFO or a device and
/// follows no link: anything else than a regular file or a link is an error, which is one sentence with the path and what to do.
std::expected<file_image, std::string> read_image(const std::string& path);

/// The same, of the file behind the links that lead there; `resolved` becomes its real path.
std::expected<file_image, std::string> read_behind(const std::string& path, std::string& resolved);

/// How the path stands beside the two images of a change. With `in_place`, what a write that was cut off left half done is `cant_tell`:
/// `put_file` to either end mends it.
change_state state_of(const file_change& c, bool in_place);

/// Puts the path to one end of the change, if it says what the other end says (else: foreign; where it is there already: done). Beside it
/// in a dotfile, which nginx's include patterns pass over: written, owner, mode and extended attributes of what was there set (refused
/// where they can't be), synced, what stands there compared once more, exchanged in one step, the folder synced. What comes out of the
/// exchange is looked at again: if somebody changed it in the last instant, it is put back and the answer is `foreign`. What the path said
/// before is kept beside it until `unstage` or `sweep`, so that the way back needs no room and gives back the very file. What is to be
/// absent is renamed to there.
///
/// `in_place` writes into the file itself, for a file that is a mount point and can't be renamed over; links and what is absent go by
/// rename all the same. A reader may then see a file that is half old and half new, and an end in the middle leaves one: the new bytes up
/// to some place and the old ones from there, or, after the machine itself went down, whole blocks of either. Such a mixture is known again
/// by the two images, and put to either end; so the images must have been stored before. Refused where the file has a second name.
put_result put_file(const file_change& c, end to, bool in_place);

/// Makes room beside `path` for a file of this size, so that a full disk does not stop `put_file`: kept until `unstage` or used up by it.
/// File systems that copy on write promise less.
std::expected<void, std::string> stage(const std::string& path, std::size_t bytes);
/// Gives back the room, and what `put_file` kept of before.
void unstage(const std::string& path);

/// Takes away everything that attempts left beside the path: what was cut off, the staged room, what was kept of before. Never a lock.
void sweep(const std::string& path);

/// Whether `put_file` could do its work here, tried without leaving a trace (where the file system has no O_TMPFILE, a dotfile is there for
/// an instant): "" where it can, else one sentence on what stands in the way and what to type.
std::string obstacle_to_put(const std::string& path, bool in_place);

/// A lock beside a live file (".NAME.flipback-lock", flock), so that one agent acts on one nginx; other containers that share the folder
/// see it too. Held as long as the object lives and by the process, not its children. The file stays.
class live_lock {
 public:
  /// Why it could not be taken.
  struct refusal {
    bool by_another_agent = false;  ///< else it can't be made
    std::string says;               ///< one sentence
  };
  static std::expected<live_lock, refusal> take(const std::string& live_path);
  /// False: somebody has taken the file away, and another agent may lock a new one.
  [[nodiscard]] bool holds() const;

 private:
  live_lock(descriptor file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}
  descriptor file_;
  std::string path_;
};

}  // namespace flipback::rollback
