#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace flipback {

/// A regular file's bytes as they are on disk, without taking memory for them. It must not be made shorter meanwhile.
class mapped_file {
 public:
  /// An error is one sentence on why it can't be read.
  static std::expected<mapped_file, std::string> of(const std::string& path);

  mapped_file(mapped_file&& other) noexcept : begin_(std::exchange(other.begin_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  mapped_file& operator=(mapped_file&&) = delete;
  ~mapped_file();

  [[nodiscard]] std::string_view bytes() const { return {static_cast<const char*>(begin_), size_}; }

 private:
  mapped_file(void* begin, std::size_t size) : begin_(begin), size_(size) {}

  void* begin_;
  std::size_t size_;
};

}  // namespace flipback
