#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace flipback {

/// A regular file's bytes, read piece by piece into memory of its own: one that is made shorter meanwhile, or that the disk no longer
/// gives, is an error, where a mapped one would kill whoever looks at it.
class file_window {
 public:
  /// Errors, here and below, are half a sentence on why it can't be read, to stand after its name.
  static std::expected<file_window, std::string> of(const std::string& path);

  file_window(file_window&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), size_(other.size_), begin_(other.begin_), read_(std::move(other.read_)) {}
  file_window& operator=(file_window&&) = delete;
  ~file_window();

  [[nodiscard]] std::size_t size() const { return size_; }  ///< when it was opened, in bytes
  /// So many bytes from there on, fewer where the file has no more of them. Good until the next call.
  std::expected<std::string_view, std::string> piece(std::size_t at, std::size_t bytes);
  /// All of it.
  std::expected<std::string, std::string> whole();

 private:
  file_window(int fd, std::size_t size) : fd_(fd), size_(size) {}

  int fd_;
  std::size_t size_;
  std::size_t begin_ = 0;  ///< of what was read, in the file
  std::string read_;
};

}  // namespace flipback
