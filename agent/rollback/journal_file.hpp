#pragma once

#include "agent/rollback/disk.hpp"
#include "agent/rollback/journal_frames.hpp"
#include "agent/rollback/journal_row.hpp"

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <vector>

namespace flipback::rollback {

/// The journal's file, for one thread at a time. Blocks.
///
/// It holds at most one attempt that is open. Rows are written in place, over those of attempts that are over, so that its space is there
/// when it is needed.
class journal_file {
 public:
  struct trouble {
    enum class kind : std::uint8_t {
      not_now,  ///< the disk refuses; it may take it later
      damaged,  ///< what is in the file is not what was written, or not by a version that this one can read
      misuse    ///< what was asked for does not follow from what the file says; it never will
    };
    kind is = kind::not_now;
    std::string says;
  };
  using done = std::expected<void, trouble>;

  journal_file(std::string path, std::shared_ptr<disk> on);
  ~journal_file();
  journal_file(const journal_file&) = delete;
  journal_file& operator=(const journal_file&) = delete;

  /// The rows of the attempt that is open; none where there is none.
  std::expected<std::vector<row>, trouble> read();
  /// Writes the next row, durably. The first one begins an attempt; a damaged file is then put aside under another name for a person to
  /// look at, and a new one is made. One that failed may be written again.
  done append(const row& what);
  /// The attempt that is open is over: none of its rows is ever read again.
  done close();
  /// Makes the file at least this large, on the disk. What it says stays.
  done reserve(std::size_t bytes);

 private:
  done load(std::vector<row>& rows);
  done opened();
  done make();
  done write(std::string_view bytes, std::size_t at);
  std::expected<std::string, trouble> contents();
  [[nodiscard]] std::unexpected<trouble> refused(std::string_view doing, int error) const;
  [[nodiscard]] std::unexpected<trouble> damaged(std::string_view how) const;
  [[nodiscard]] bool moved() const;
  void let_go();

  std::string path_;
  std::shared_ptr<disk> disk_;
  int fd_ = -1;
  bool loaded_ = false;
  frames::head head_;
  std::uint64_t next_ = 0;  ///< the number of the next row
  std::size_t end_ = 0;     ///< where it is written
};

}  // namespace flipback::rollback
