#pragma once

#include "flipback/units.hpp"

#include "agent/record/file_window.hpp"
#include "rules/replay/record.hpp"

#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>

namespace flipback {

/// Reads a record piece by piece through the window, which must outlive the reader.
rules::replay::record_reader reader_of(file_window& of);

/// A record's file on disk, and the one before it, PATH.1: when the first has half of what both may have, or covers half of the time, it
/// takes the other's place. Blocks; one thread's alone.
class record_file {
 public:
  /// `most_bytes` and `longest` are for both files together.
  record_file(std::string path, std::uint64_t most_bytes, duration longest);
  ~record_file();
  record_file(const record_file&) = delete;
  record_file& operator=(const record_file&) = delete;

  /// Appends bytes that belong together, after `head` where they are the first in a file of ours: whoever reads it alone needs that. An
  /// error is one sentence on why they are not there.
  std::expected<void, std::string> append(std::string_view bytes, const std::function<std::string()>& head);

  /// What a full file of this path is called.
  static std::string older(const std::string& path) { return path + ".1"; }

 private:
  std::expected<void, std::string> open(const std::string& head);
  std::expected<void, std::string> cut_torn_end();
  std::expected<void, std::string> write(std::string_view bytes);
  void close();
  [[nodiscard]] bool is_full(std::size_t more) const;

  std::string path_;
  std::uint64_t most_;  ///< bytes of one file
  duration longest_;    ///< that one file covers
  int fd_ = -1;
  std::uint64_t size_ = 0;
  wall_time since_{};
};

}  // namespace flipback
