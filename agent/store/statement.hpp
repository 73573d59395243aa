#pragma once

#include <sqlite3.h>

#include <expected>
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

using sql_text = std::optional<std::string>;  ///< nothing is NULL; else any bytes
using sql_rows = std::vector<std::vector<sql_text>>;

/// Runs one statement with these values in its places, and gives the rows that it answers.
std::expected<sql_rows, sql_failure> run_sql(sqlite3* database, const char* sql, const std::vector<sql_text>& values);

}  // namespace flipback
