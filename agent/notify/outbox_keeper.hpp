#pragma once

#include "agent/notify/outbox.hpp"
#include "agent/notify/outbox_file.hpp"
#include "agent/store/disk_thread.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace flipback::notify {

/// Keeps on disk what is to be told, so that it outlasts this life: by a thread of its own, so that no disk holds up who tells. What a disk
/// does not take is to be written again; one that hangs is left alone, and what changes meanwhile waits where it is bounded: in the outbox.
class outbox_keeper {
 public:
  static constexpr duration on_disk_within = std::chrono::seconds(1);
  static constexpr std::size_t most_behind = 8;  ///< writes that are asked for and not done

  /// `heard`, on the loop: the disk has something to say that `hear` gives.
  outbox_keeper(boost::asio::io_context& loop, std::function<void()> heard);
  ~outbox_keeper();
  outbox_keeper(const outbox_keeper&) = delete;
  outbox_keeper& operator=(const outbox_keeper&) = delete;

  /// What an earlier life left in a file; from then on it is kept there. Blocks. Nothing where there is a file already.
  std::optional<std::expected<outbox_on_disk, std::string>> open(const std::string& file);
  [[nodiscard]] bool is_open() const;
  [[nodiscard]] bool hangs() const { return thread_.behind() > most_behind; }
  /// Why what people are told does not outlast a restart, as it was heard last; empty: it does.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }

  /// What has come of the writes. `refused` are to be written again; `lost` says what had to be put aside, so that all is; `news`: the
  /// trouble is another one than before.
  struct word {
    std::vector<outbox::row> refused;
    std::string lost;
    bool news = false;
  };
  word hear();
  /// Has what changed written, and the desk where it is not as it was written last. Never blocks.
  void write(std::vector<outbox::row> rows, std::string desk);
  /// Until all that was to be written is, or can't be told to be.
  boost::asio::awaitable<void> written();

 private:
  struct disk;
  std::function<void()> heard_;
  std::string desk_;  ///< as it is on disk or on its way there
  std::string trouble_;
  std::shared_ptr<disk> disk_;
  disk_thread thread_;  ///< the last member: what it does may touch the disk's parts, and outlive this with them
};

}  // namespace flipback::notify
