#pragma once

#include "agent/rollback/disk.hpp"
#include "agent/rollback/journal_row.hpp"
#include "agent/store/disk_thread.hpp"

#include <boost/asio/awaitable.hpp>

#include <expected>
#include <memory>
#include <string>
#include <vector>

namespace flipback::rollback {

/// The rollback's journal: a file of its own, so that it needs nothing of the store, written by a thread of its own, so that no disk holds
/// up the loop. It holds the rows of one attempt; `forget` ends that. An error is one sentence for people. What the attempt's files said
/// before is kept beside it, in the folder of the same name that ends with ".incidents" (see `kept_files`).
///
/// What the file holds is always the beginning of what was to be written: a row that failed is written before any that follows it, and
/// nothing is written after `forget`, however late the disk is. So a rollback that goes on in memory keeps calling `write`, and the journal
/// catches up where it can.
class journal {
 public:
  static constexpr duration patience = std::chrono::seconds(2);

  journal(std::string path, std::shared_ptr<disk> on);
  /// Waits at most 2 s for what is under way.
  ~journal();
  journal(const journal&) = delete;
  journal& operator=(const journal&) = delete;

  /// The rows of an attempt that was not forgotten; none where there is no such attempt. A last row that was cut off is none. A file that
  /// can't be read, is damaged, or says what this version doesn't know is an error: whether there was an attempt is not known then. Blocks:
  /// for the start, before anything is written.
  std::expected<std::vector<row>, std::string> read();

  /// Completes when the row is on disk; an error where that failed, or takes longer than `patience` (it may still come to be). Row 0 begins
  /// an attempt: the former one must be forgotten. If the file was damaged it is then put aside, under a name with the time in it.
  boost::asio::awaitable<std::expected<void, std::string>> write(row what);
  /// The attempt has changed something: what its files said before is kept before it is forgotten, and the journal's copy stays until it
  /// is.
  void keep(attempt of);
  /// The attempt is over: durably, none of its rows is read again. Where it fails it is done before the next row. To be called once the row
  /// `ended` is written: should the head of the file be lost, that row still says so.
  boost::asio::awaitable<std::expected<void, std::string>> forget();
  /// Makes room, so that a full disk does not stop an attempt; the room outlasts attempts. See `room_for`.
  boost::asio::awaitable<std::expected<void, std::string>> reserve(std::size_t bytes);

  /// What was kept last of what files said before, and what to type to have it back; "" where nothing is. Known after `read`.
  [[nodiscard]] std::string kept() const;
  /// The same, if it was kept since this was asked last.
  [[nodiscard]] std::string newly_kept();

 private:
  struct parts;
  struct job;
  boost::asio::awaitable<std::expected<void, std::string>> ask(job what);
  static void work_off(parts& of);
  std::shared_ptr<parts> parts_;
  disk_thread thread_;  ///< the last member: what it does touches the parts, and may outlive this with them
};

/// The bytes that the journal of such an attempt takes, with every row that may follow.
std::size_t room_for(const attempt& what);

}  // namespace flipback::rollback
