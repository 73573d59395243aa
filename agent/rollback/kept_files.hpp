#pragma once

#include "agent/rollback/disk.hpp"
#include "agent/rollback/journal_row.hpp"

#include <expected>
#include <filesystem>
#include <memory>
#include <string>

namespace flipback::rollback {

/// What files and links said before a rollback changed them, for a person who wants it back: in a folder of its own a folder for each
/// attempt, named by when it was begun, and in that each file under its whole path. The owner's alone. Blocks.
class kept_files {
 public:
  /// Of that many attempts; what the older ones kept goes when a newer one is kept. No file is larger than `largest_live_file`.
  static constexpr std::size_t most_attempts = 32;

  kept_files(std::filesystem::path folder, std::shared_ptr<disk> on);

  /// Durably. What had not been there, and what a command switches, leaves nothing. May be done again. An error is one sentence.
  [[nodiscard]] std::expected<void, std::string> keep(const attempt& of) const;

  /// Where the newest is, what to type to see what differs and to have it back, in one sentence; "" where nothing is kept.
  [[nodiscard]] std::string newest() const;

 private:
  [[nodiscard]] std::string put(const std::filesystem::path& at, const file_image& said) const;
  void drop_the_oldest(const std::filesystem::path& but) const;

  std::filesystem::path folder_;
  std::shared_ptr<disk> disk_;
};

}  // namespace flipback::rollback
