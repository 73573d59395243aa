#include "agent/store/statement.hpp"

namespace flipback {

namespace {

using statement = std::unique_ptr<sqlite3_stmt, decltype([](sqlite3_stmt* s) { sqlite3_finalize(s); })>;

/// By its size, since a text may hold a NUL.
sql_text column_of(sqlite3_stmt* row, int column) {
  if (sqlite3_column_type(row, column) == SQLITE_NULL) return std::nullopt;
  const void* const bytes = sqlite3_column_blob(row, column);
  const int size = sqlite3_column_bytes(row, column);
  return size == 0 ? std::string() : std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
}

}  // namespace

std::unexpected<sql_failure> sql_failed(sqlite3* database) {
  return std::unexpected(sql_failure{sqlite3_errcode(database) & 0xff, sqlite3_errmsg(database)});
}

std::expected<sql_handle, sql_failure> open_sql(const std::string& file, int flags) {
  sqlite3* made = nullptr;
  const int opened = sqlite3_open_v2(file.c_str(), &made, flags, nullptr);
  sql_handle h(made);
  if (opened != SQLITE_OK) return sql_failed(made);
  sqlite3_busy_timeout(made, 1000);
  return h;
}

std::expected<void, sql_failure> execute_sql(sqlite3* database, const std::string& sql) {
  if (sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) return sql_failed(database);
  return {};
}

std::expected<sql_rows, sql_failure> run_sql(sqlite3* database, const char* sql, const std::vector<sql_text>& values) {
  sqlite3_stmt* made = nullptr;
  if (sqlite3_prepare_v2(database, sql, -1, &made, nullptr) != SQLITE_OK) return sql_failed(database);
  const statement prepared(made);
  int place = 0;
  for (const sql_text& value : values) {
    ++place;
    const int bound =
        value ? sqlite3_bind_text64(made, place, value->data(), value->size(), SQLITE_STATIC, SQLITE_UTF8) : sqlite3_bind_null(made, place);
    if (bound != SQLITE_OK) return sql_failed(database);
  }
  sql_rows rows;
  for (;;) {
    const int stepped = sqlite3_step(made);
    if (stepped == SQLITE_DONE) return rows;
    if (stepped != SQLITE_ROW) return sql_failed(database);
    std::vector<sql_text>& row = rows.emplace_back();
    for (int column = 0; column < sqlite3_column_count(made); ++column) row.push_back(column_of(made, column));
  }
}

}  // namespace flipback
