#pragma once

#include <sqlite3.h>

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace flipback {

/// What SQLite said instead of doing it.
struct sql_failure {
  int code = 0;  ///< SQLite's primary result code
  std::string says;

  /// Whether the file itself is to blame, and not what is around it.
  [[nodiscard]] bool is_damage() const { return code == SQLITE_CORRUPT || code == SQLITE_NOTADB || code == SQLITE_ERROR; }
};

/// An open database file.
struct sql_closer {
  void operator()(sqlite3* h) const { sqlite3_close(h); }
};
using sql_handle = std::unique_ptr<sqlite3, sql_closer>;

/// A file opened with these of SQLite's flags; who waits for another's lock waits at most a second.
std::expected<sql_handle, sql_failure> open_sql(const std::string& file, int flags);

/// What SQLite says of the call before.
std::unexpected<sql_failure> sql_failed(sqlite3* database);
/// Runs statements that give no rows.
std::expected<void, sql_failure> execute_sql(sqlite3* database, const std::string& sql);

using sql_text = std::optional<std::string>;  ///< nothing is NULL; else any bytes
using sql_rows = std::vector<std::vector<sql_text>>;

/// Runs one statement with these values in its places, and gives the rows that it answers.
std::expected<sql_rows, sql_failure> run_sql(sqlite3* database, const char* sql, const std::vector<sql_text>& values);

}  // namespace flipback
