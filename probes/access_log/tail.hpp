#pragma once

#include "flipback/observation.hpp"

#include "probes/access_log/rotated.hpp"

#include <array>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flipback::access_log {

using take_line = std::function<void(std::string_view)>;

/// Why a log's lines can't be had.
struct trouble {
  reason why;
  std::string says;  ///< follows the log's name: "does not exist"
};

/// Reads what is appended to a file, line by line, through renames and truncations. Reads only when asked; never waits.
///
/// After a rename the old file is read to its end before the next one, and for a second longer: nginx writes to it until it reopens. After
/// a copytruncate the copy is read on where the file was left.
class tail {
 public:
  static constexpr std::size_t longest_line = 64 * 1024;    ///< a longer one is skipped and counted
  static constexpr std::size_t most_at_once = 1024 * 1024;  ///< bytes a call, so that a backlog does not stall the loop

  explicit tail(std::string path) : path_(std::move(path)) {}
  ~tail();
  tail(const tail&) = delete;
  tail& operator=(const tail&) = delete;

  /// Goes to the last `bytes` of the file, at a line's beginning; 0: its end.
  void start_near_end(std::uint64_t bytes);
  /// The same, but where the file is shorter, goes back into the rotated one, if that was written to at `since` (seconds since 1970) or
  /// later.
  void start_in_the_past(std::uint64_t bytes, double since);

  /// Hands on every whole line that has come. True where more is waiting; an error where the file can't be read ("does not exist").
  std::expected<bool, trouble> read(const take_line& take);

  [[nodiscard]] std::uint64_t skipped() const { return skipped_; }  ///< lines that were too long

 private:
  using fingerprint = std::array<char, 1024>;  ///< long enough for a line with its time

  bool open(const std::string& path);
  bool adopt(int file);
  void close();
  void begin_before_end(std::uint64_t bytes);
  bool begin_in_rotated(std::uint64_t bytes, double since);
  void feed(std::string_view bytes, const take_line& take);
  void remember_end(std::string_view bytes);
  void truncated();
  [[nodiscard]] std::optional<std::string> next() const;
  bool go_on();
  bool begins_like(const std::string& path) const;
  bool holds_what_was_read(int file) const;

  std::string path_;
  int fd_ = -1;
  int failed_ = 0;  ///< errno of the last open
  struct stat opened_{};
  off_t offset_ = 0;
  std::uint64_t start_from_end_ = 0;
  bool from_end_ = true;   ///< only the first file is begun at its end
  bool skipping_ = false;  ///< inside a line that is too long, or cut in half
  instant replaced_{};     ///< when another file was first seen under its name
  std::string partial_;
  std::vector<char> buffer_;
  fingerprint end_read_{};  ///< what stood before `offset_`: the file, and a copy of it, are known by it
  std::size_t end_size_ = 0;
  std::uint64_t skipped_ = 0;
};

}  // namespace flipback::access_log
