#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <variant>

/// What a switch changes, as plain values: a file, a link, or whatever a command does. Nothing here does I/O.
namespace flipback::rollback {

/// What a path leads to at one time.
struct file_image {
  enum class kind : std::uint8_t { absent, regular, link };
  kind is = kind::absent;
  std::string bytes;   ///< of a regular file
  std::string target;  ///< of a link, as it is written in it
  mode_t mode = 0644;  ///< of a regular file, permission bits alone
  uid_t owner = 0;
  gid_t group = 0;

  /// Whether both say the same: the kind, and the bytes or the target. Who owns it is no part of that.
  [[nodiscard]] bool says_the_same_as(const file_image& other) const;
  friend bool operator==(const file_image&, const file_image&) = default;
};

/// One path that comes to say something else. `path` is where the bytes are: of a live file that is a link to a file that is no slot's, the
/// file behind it.
struct file_change {
  std::string path;
  file_image before;
  file_image after;
  friend bool operator==(const file_change&, const file_change&) = default;
};

/// A command that switches, by the names of the slots.
struct command_change {
  std::string from;
  std::string to;
  friend bool operator==(const command_change&, const command_change&) = default;
};

/// One step of an install. An install of several files is several changes.
using change = std::variant<file_change, command_change>;

/// Which of its two ends a change is to be put to.
enum class end : std::uint8_t { before, after };

/// What became of a change that was to be put.
struct put_result {
  enum class kind : std::uint8_t {
    done,       ///< it says what it is to say; on disk, where it is a file
    foreign,    ///< it said neither what it was to say before nor after: somebody else changed it, and it was left alone
    failed,     ///< it could not be done, and nothing was changed
    cant_tell,  ///< it may have been done: a command that hangs, a folder that could not be synced after the rename
    in_vain     ///< a command has ended, and the switch does not name what it was to: whether it changed anything can't be told
  };
  kind is = kind::done;
  std::string says;  ///< for people, unless done
};

/// How a change stands when it is looked at.
struct change_state {
  enum class kind : std::uint8_t { before, after, foreign, cant_tell };
  kind is = kind::cant_tell;
  std::string says;
};

}  // namespace flipback::rollback
