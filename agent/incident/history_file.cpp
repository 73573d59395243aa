#include "agent/incident/history_file.hpp"

#include "flipback/unix_milliseconds.hpp"

#include "agent/event_lines.hpp"
#include "agent/incident/book.hpp"
#include "agent/store/side_file.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

namespace flipback::incident {

namespace {

constexpr const char* tables =
    "CREATE TABLE IF NOT EXISTS happened (number INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, incident TEXT NOT NULL,"
    " is_operation INTEGER NOT NULL, line TEXT NOT NULL);"
    "CREATE INDEX IF NOT EXISTS by_incident ON happened (incident);";
constexpr std::size_t most_of_one = 4000;  ///< events of an incident beside its operations and verdicts

side_file history_in(const std::string& file) {
  return {file, 1, tables, "a new record is begun"};
}

/// What is too old goes, and what is too much: of that what belongs to no incident first, then the oldest; an incident's beginning and end
/// go last.
std::expected<void, sql_failure> prune(sqlite3* h) {
  const std::int64_t oldest = unix_milliseconds(std::chrono::system_clock::now() - kept_for);
  auto pruned = run_sql(h, "DELETE FROM happened WHERE at < ?1", {std::to_string(oldest)});
  if (pruned)
    pruned = run_sql(h,
                     "DELETE FROM happened WHERE number IN (SELECT number FROM happened ORDER BY kind LIKE 'incident.%', incident <> '' OR "
                     "is_operation, number LIMIT max(0, (SELECT count(*) FROM happened) - ?1))",
                     {std::to_string(most_kept)});
  if (pruned)
    pruned = run_sql(h,
                     "DELETE FROM happened WHERE kind LIKE 'evidence.%' AND number <= (SELECT number FROM happened WHERE kind LIKE "
                     "'evidence.%' ORDER BY number DESC LIMIT 1 OFFSET ?1)",
                     {std::to_string(most_evidence)});
  if (!pruned) return std::unexpected(pruned.error());
  return {};
}

std::expected<void, sql_failure> insert(sqlite3* h, const std::vector<happening>& all) {
  for (const auto& [at, what] : all) {
    const auto added = run_sql(h, "INSERT INTO happened (at, kind, incident, is_operation, line) VALUES (?1, ?2, ?3, ?4, ?5)",
                               {std::to_string(unix_milliseconds(at)), what.kind, text_of(what, "incident"),
                                is_operation(what.kind) ? "1" : "0", json_line(what, at)});
    if (!added) return std::unexpected(added.error());
  }
  return prune(h);
}

std::expected<std::vector<happening>, std::string> read(const std::string& file, const char* sql, const std::vector<sql_text>& values) {
  const auto rows = rows_of(history_in(file), sql, values);
  if (!rows) return std::unexpected(rows.error());
  std::vector<happening> found;
  for (const auto& row : *rows) {
    auto what = event_in(row.at(1).value_or(""));
    if (!what) return std::unexpected(fmt::format("can't read {}: it holds what this version does not write", file));
    found.push_back({at_unix_milliseconds(std::atoll(row.at(0).value_or("0").c_str())), *std::move(what)});
  }
  return found;
}

}  // namespace

std::expected<std::string, std::string> append_to_history(const std::string& file, const std::vector<happening>& all) {
  return change(history_in(file), [&](sqlite3* h) { return insert(h, all); });
}

std::expected<void, std::string> append_to_log(const std::string& file, const std::string& lines) {
  const auto cant = [&] { return std::unexpected(fmt::format("can't write to {}: {}", file, std::strerror(errno))); };
  const int fd = open_private(file, 0640, O_WRONLY | O_APPEND);
  if (fd < 0) return cant();
  const auto closed = std::unique_ptr<const int, decltype([](const int* of) { ::close(*of); })>(&fd);
  struct stat is{};
  if (::fstat(fd, &is) != 0) return cant();
  if (!S_ISREG(is.st_mode)) return std::unexpected(fmt::format("can't write to {}: it is no regular file", file));
  const ssize_t wrote = ::write(fd, lines.data(), lines.size());
  if (wrote != static_cast<ssize_t>(lines.size())) {
    const int error = wrote < 0 ? errno : ENOSPC;
    (void)!::ftruncate(fd, is.st_size);  // no half line
    errno = error;
    return cant();
  }
  if (static_cast<std::size_t>(is.st_size) + lines.size() >= longest_log) ::rename(file.c_str(), (file + ".1").c_str());
  return {};
}

std::expected<std::vector<happening>, std::string> read_incident(const std::string& file, const std::optional<std::string>& id) {
  if (!id) return read(file, "SELECT at, line FROM happened WHERE kind IN ('incident.began', 'incident.ended') ORDER BY number", {});
  return read(
      file,
      "SELECT at, line FROM happened WHERE incident = ?1 AND (is_operation OR kind = 'verdict.changed' OR kind LIKE 'evidence.%' OR "
      "number IN (SELECT number FROM happened WHERE incident = ?1 AND kind NOT LIKE 'evidence.%' ORDER BY number DESC LIMIT ?2)) "
      "ORDER BY number",
      {*id, std::to_string(most_of_one)});
}

std::expected<std::string, std::string> read_open_incident(const std::string& file) {
  const auto marks = read_incident(file, std::nullopt);
  if (!marks) return std::unexpected(marks.error());
  if (marks->empty() || marks->back().what.kind == "incident.ended") return std::string();
  return text_of(marks->back().what, "incident");
}

std::expected<std::vector<happening>, std::string> read_operations(const std::string& file, std::size_t most) {
  return read(file, "SELECT at, line FROM (SELECT * FROM happened WHERE is_operation ORDER BY number DESC LIMIT ?1) ORDER BY number",
              {std::to_string(most)});
}

}  // namespace flipback::incident
