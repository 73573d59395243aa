#include "agent/notify/outbox_file.hpp"

#include "agent/store/side_file.hpp"

#include <utility>

namespace flipback::notify {

namespace {

constexpr const char* tables =
    "CREATE TABLE IF NOT EXISTS parcel (number INTEGER PRIMARY KEY, letter TEXT NOT NULL, target TEXT NOT NULL, text TEXT NOT NULL,"
    " UNIQUE (letter, target));"
    "CREATE TABLE IF NOT EXISTS desk (only INTEGER PRIMARY KEY CHECK (only = 1), text TEXT NOT NULL);";

side_file outbox_in(const std::string& file) {
  return {file, 1, tables, "a new outbox is begun: what waited in it is told to nobody"};
}

std::expected<void, sql_failure> put(sqlite3* h, const outbox::row& row) {
  const auto done =
      row.text
          ? run_sql(h, "INSERT INTO parcel (letter, target, text) VALUES (?1, ?2, ?3) ON CONFLICT (letter, target) DO UPDATE SET text = ?3",
                    {row.letter, row.target, *row.text})
          : run_sql(h, "DELETE FROM parcel WHERE letter = ?1 AND target = ?2", {row.letter, row.target});
  if (!done) return std::unexpected(done.error());
  return {};
}

}  // namespace

std::expected<outbox_on_disk, std::string> read_outbox(const std::string& file) {
  const auto parcels = rows_of(outbox_in(file), "SELECT letter, target, text FROM parcel ORDER BY number", {});
  const auto desk = parcels ? rows_of(outbox_in(file), "SELECT text FROM desk", {}) : parcels;
  if (!desk) return std::unexpected(desk.error());
  outbox_on_disk found;
  for (const auto& row : *parcels) found.rows.push_back({row.at(0).value_or(""), row.at(1).value_or(""), row.at(2)});
  if (!desk->empty()) found.desk = desk->at(0).at(0).value_or("");
  return found;
}

std::expected<std::string, std::string> write_outbox(const std::string& file, const std::vector<outbox::row>& rows,
                                                     const std::string& desk) {
  return change(outbox_in(file), [&](sqlite3* h) -> std::expected<void, sql_failure> {
    for (const outbox::row& row : rows) {
      if (auto done = put(h, row); !done) return done;
    }
    const auto kept = run_sql(h, "INSERT INTO desk (only, text) VALUES (1, ?1) ON CONFLICT (only) DO UPDATE SET text = ?1", {desk});
    if (!kept) return std::unexpected(kept.error());
    return {};
  });
}

}  // namespace flipback::notify
