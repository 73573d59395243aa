#pragma once

#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace flipback::access_log {

/// Reads what is appended to a file, line by line, through renames and truncations. Reads only when asked; never waits.
///
/// After a rename the old file is read to its end before the new one, and for a moment longer: nginx writes to it until it reopens.
class tail {
 public:
  using take_line = std::function<void(std::string_view)>;

  static constexpr std::size_t longest_line = 64 * 1024;    ///< a longer one is skipped and counted
  static constexpr std::size_t most_at_once = 1024 * 1024;  ///< bytes a call, so that a backlog does not stall the loop

  explicit tail(std::string path) : path_(std::move(path)) {}
  ~tail();
  tail(const tail&) = delete;
  tail& operator=(const tail&) = delete;

  /// Goes to the last `bytes` of the file, at a line's beginning; 0: its end.
  void start_near_end(std::uint64_t bytes);

  /// Hands on every whole line that has come. True where more is waiting; an error where the file can't be read ("does not exist").
  std::expected<bool, std::string> read(const take_line& take);

  [[nodiscard]] std::uint64_t skipped() const { return skipped_; }  ///< lines that were too long

 private:
  bool open();
  void close();
  void feed(std::string_view bytes, const take_line& take);
  bool was_replaced() const;

  std::string path_;
  int fd_ = -1;
  int failed_ = 0;  ///< errno of the last open
  ino_t inode_ = 0;
  dev_t device_ = 0;
  off_t offset_ = 0;
  std::uint64_t start_from_end_ = 0;
  bool from_end_ = true;   ///< only the first file is begun at its end
  bool skipping_ = false;  ///< inside a line that is too long, or cut in half
  int quiet_reads_ = 0;    ///< since the file was replaced
  std::string partial_;
  std::vector<char> buffer_;
  std::uint64_t skipped_ = 0;
};

}  // namespace flipback::access_log
