#pragma once

#include "agent/store/statement.hpp"

#include <expected>
#include <functional>
#include <string>
#include <vector>

namespace flipback {

/// An SQLite file beside the state, on which no decision rests: it is its owner's alone. All that is done with it blocks.
struct side_file {
  std::string path;
  int form = 1;               ///< of its tables (`user_version`): a newer one is not touched
  const char* tables = "";    ///< statements that make those that are not there
  const char* is_begun = "";  ///< what follows where a damaged one was put aside: "a new record is begun"
};

/// Changes it in one transaction; it is made where there is none. One that is damaged, or another program's, is put aside, which is the
/// sentence that this gives; else "". An error is one sentence, and nothing was changed then.
std::expected<std::string, std::string> change(const side_file& in, const std::function<std::expected<void, sql_failure>(sqlite3*)>& how);

/// The rows that one statement finds in it; none where there is no file. An error is one sentence.
std::expected<sql_rows, std::string> rows_of(const side_file& in, const char* sql, const std::vector<sql_text>& values);

/// Opens a file of this mode for writing, or makes it; no link is followed, and nobody is waited for. -1 and errno where it can't be had.
int open_private(const std::string& file, unsigned mode, int flags);

}  // namespace flipback
