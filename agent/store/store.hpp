#pragma once

#include "flipback/units.hpp"

#include "agent/store/disk_thread.hpp"
#include "agent/store/fact_store.hpp"

#include <boost/asio/awaitable.hpp>

#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace flipback {

/// What must outlive the process: an SQLite database with a thread of its own, so that no fsync holds up the loop. One agent at a time.
///
/// Facts are texts by name ("latch", "cutover", "seen"). Where the database can't be had (no folder, a full or read-only disk), facts can't
/// be read and every write says why; each write tries again to open it. Where its file has gone under it, a new one is written with all
/// that the former said.
class store final : public fact_store {
 public:
  static constexpr duration patience = std::chrono::seconds(2);

  /// Opens or makes the database. Throws std::runtime_error where another agent has it; whatever else is wrong is `trouble`.
  explicit store(const std::string& file);
  /// Waits at most 2 s for writes that are under way.
  ~store() override;
  store(const store&) = delete;
  store& operator=(const store&) = delete;

  /// What was wrong with the database when it was opened, for people: it can't be had, or it was damaged or written by a newer version and
  /// is kept under the name that is told. "" where all is well.
  [[nodiscard]] std::string trouble() const;

  /// As it stands on the disk; nothing where it is known that there is none. An error is one sentence on why it can't be read: that is not
  /// none. A fact that could not be read can be again once it is put or forgotten.
  [[nodiscard]] std::expected<std::optional<std::string>, std::string> get(const std::string& name) const;

  /// Told from now on how long each write took, by the thread that writes: what it touches may have to outlive the store.
  void on_write(std::function<void(duration took)> told);

  /// A disk that takes no more than `patience` is not waited for: what was to be written may then still come to be, before anything later.
  boost::asio::awaitable<std::expected<void, std::string>> put(std::string name, std::string value) override;
  boost::asio::awaitable<std::expected<void, std::string>> forget(std::string name) override;

 private:
  struct parts;
  using write = std::move_only_function<std::expected<void, std::string>(parts&)>;
  boost::asio::awaitable<std::expected<void, std::string>> execute(write what);
  boost::asio::awaitable<std::expected<void, std::string>> keep(std::string name, std::optional<std::string> text);
  std::shared_ptr<parts> parts_;
  disk_thread thread_;  ///< the last member: what it does may touch the parts, and outlive it with them
};

}  // namespace flipback
