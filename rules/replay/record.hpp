#pragma once

#include "rules/replay/bytes.hpp"
#include "rules/replay/entry.hpp"

#include <cstddef>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flipback::rules::replay {

/// What a record's file begins with.
inline constexpr std::string_view magic = "flipback record 3\n";

/// Bytes of a frame's payload. A recorder's are a few thousand, and no more than wait for the disk: 8 MiB.
inline constexpr std::size_t longest_frame = std::size_t{64} << 20U;

/// Writes entries as frames: the payload's size, the payload, its CRC-32. Times are differences from the entry before, in nanoseconds; a
/// frame stands for itself.
class record_writer {
 public:
  void write(const entry& e);
  /// Everything that was written since, as one frame; empty where nothing was.
  [[nodiscard]] std::string take();

 private:
  void begin(std::uint8_t tag, instant at);
  void put(const beginning& e);
  void put(const declared& e);
  void put(const sampled& e);
  void put(const cut_over& e);
  void put(const window_changed& e);
  void put(const unwatched& e);
  void put(const hold_changed& e);
  void put(const unlatched& e);
  void put(const resumed& e);

  byte_writer payload_;
  instant last_{};  ///< of the entry before in this frame
};

/// Where a record can't be read, in bytes from its file's begin, and why.
struct damaged {
  std::size_t at = 0;
  std::string says;
};

/// Reads what a record_writer has written, of a file as a whole. A last frame that is not whole is passed over: the writer was killed.
class record_reader {
 public:
  /// Gives so many bytes from there on, fewer where the file has no more of them, good until it is asked again; or why it can't.
  using piece = std::function<std::expected<std::string_view, std::string>(std::size_t at, std::size_t bytes)>;

  record_reader(std::size_t size, piece of) : size_(size), piece_(std::move(of)) {}
  explicit record_reader(std::string_view file)
      : record_reader(file.size(), [file](std::size_t at, std::size_t bytes) { return file.substr(at, bytes); }) {}

  /// The entries of the next frame; none at the end. After an error it must not be asked again.
  std::expected<std::vector<entry>, damaged> next();
  /// Passes over the next frame; false at the end.
  std::expected<bool, damaged> skip();
  /// Bytes at the end that belong to a frame that is not whole.
  [[nodiscard]] std::size_t torn() const { return torn_; }

 private:
  /// So many of the bytes that are next; an error where they can't be had.
  std::expected<std::string_view, damaged> ahead(std::size_t bytes);
  std::expected<std::optional<std::string_view>, damaged> payload();

  std::size_t size_;
  piece piece_;
  std::size_t at_ = 0;
  std::size_t torn_ = 0;
};

}  // namespace flipback::rules::replay
