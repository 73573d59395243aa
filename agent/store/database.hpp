#pragma once

#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <string>

struct sqlite3;

namespace flipback {

/// The SQLite file of the store. Blocks: for the start, and for a thread of its own. Whoever opens it holds the state's lock.
///
/// A file that is damaged, or was written by a newer version, is kept beside under another name, and a new one is begun. That new one
/// remembers what happened: a fact that was not put since is one that can't be read, not one that there is not.
class database {
 public:
  static constexpr int newest_form = 1;  ///< of the tables; 0 is what was written before there was a number

  using facts = std::map<std::string, std::optional<std::string>>;  ///< a fact that was forgotten is one without a text

  /// An error is one sentence on why it can't be had now; nothing has been lost then. The file's mode becomes 0600. `lost` is what a file
  /// that is new is to remember: why facts that are not in it can't be read; "" where they are none.
  static std::expected<std::unique_ptr<database>, std::string> open(const std::string& file, const std::string& lost);
  ~database();
  database(const database&) = delete;
  database& operator=(const database&) = delete;

  /// What was in it when it was opened.
  [[nodiscard]] const facts& found() const { return found_; }
  /// Why facts that are not in it can't be read; "" where they are none.
  [[nodiscard]] const std::string& lost() const { return lost_; }

  /// Whether the file is no longer where it was opened: removed, or another one in its place.
  [[nodiscard]] bool moved() const;
  /// Durably; nothing for a text forgets the fact.
  std::expected<void, std::string> put(const std::string& name, const std::optional<std::string>& text);

 private:
  database(std::string file, sqlite3* handle) : file_(std::move(file)), handle_(handle) {}

  std::string file_;
  sqlite3* handle_;
  facts found_;
  std::string lost_;
};

}  // namespace flipback
