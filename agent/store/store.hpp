#pragma once

#include "flipback/units.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>

namespace flipback {

/// What must outlive the process: an SQLite database with a thread of its own, so that no fsync holds up the loop. One agent at a time.
///
/// Facts are JSON texts by name ("latch", "cutover", "seen"); each `put` is on disk when it completes.
class store {
 public:
  static constexpr duration patience = std::chrono::seconds(2);

  /// Opens or makes the database; throws std::runtime_error with the reason where that can't be done, or another agent has it.
  explicit store(const std::string& file);
  ~store();
  store(const store&) = delete;
  store& operator=(const store&) = delete;

  /// Blocks: for the start only.
  [[nodiscard]] std::optional<std::string> get(const std::string& name) const;

  /// An error is one sentence on why the fact is not on disk. A disk that takes no more than `patience` is not waited for: what was to be
  /// written may then still come to be.
  boost::asio::awaitable<std::expected<void, std::string>> put(std::string name, std::string value);
  boost::asio::awaitable<std::expected<void, std::string>> forget(std::string name);
  /// Adds to, or replaces, the record of an incident.
  boost::asio::awaitable<std::expected<void, std::string>> record(std::string incident, std::string outcome, std::string json);

 private:
  struct parts;
  boost::asio::awaitable<std::expected<void, std::string>> execute(const char* sql, std::string a, std::string b, std::string c);
  std::unique_ptr<parts> parts_;
};

}  // namespace flipback
