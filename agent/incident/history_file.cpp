#include "agent/incident/history_file.hpp"

#include "agent/event_lines.hpp"
#include "agent/incident/book.hpp"
#include "agent/store/set_aside.hpp"
#include "agent/store/statement.hpp"

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

constexpr int form = 1;
constexpr const char* tables =
    "CREATE TABLE IF NOT EXISTS happened (number INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, incident TEXT NOT NULL,"
    " is_operation INTEGER NOT NULL, line TEXT NOT NULL);"
    "CREATE INDEX IF NOT EXISTS by_incident ON happened (incident);"
    "PRAGMA user_version=1;";
constexpr std::size_t most_of_one = 4000;  ///< events of an incident beside its operations and verdicts

using std::chrono::milliseconds;

std::expected<sql_handle, sql_failure> connect(const std::string& file, int flags) {
  auto h = open_sql(file, flags);
  if (!h) return h;
  const auto version = run_sql(h->get(), "PRAGMA user_version", {});
  if (!version) return std::unexpected(version.error());
  if (const int found = std::atoi(version->at(0).at(0).value_or("0").c_str()); found > form)
    return std::unexpected(sql_failure{SQLITE_NOTADB, fmt::format("its form is {}, and this flipback reads forms up to {}", found, form)});
  return h;
}

std::int64_t in_milliseconds(wall_time at) {
  return std::chrono::floor<milliseconds>(at.time_since_epoch()).count();
}

/// What is too old goes, and what is too much: of that what belongs to no incident first, then the oldest; an incident's beginning and end
/// go last.
std::expected<void, sql_failure> prune(sqlite3* h) {
  const std::int64_t oldest = in_milliseconds(std::chrono::system_clock::now() - kept_for);
  auto pruned = run_sql(h, "DELETE FROM happened WHERE at < ?1", {std::to_string(oldest)});
  if (pruned)
    pruned = run_sql(h,
                     "DELETE FROM happened WHERE number IN (SELECT number FROM happened ORDER BY kind LIKE 'incident.%', incident <> '' OR "
                     "is_operation, number LIMIT max(0, (SELECT count(*) FROM happened) - ?1))",
                     {std::to_string(most_kept)});
  if (!pruned) return std::unexpected(pruned.error());
  return {};
}

std::expected<void, sql_failure> insert(sqlite3* h, const std::vector<happening>& all) {
  auto done = execute_sql(h, "BEGIN IMMEDIATE");
  if (done) done = execute_sql(h, tables);
  for (const auto& [at, what] : all) {
    if (!done) break;
    const auto added = run_sql(h, "INSERT INTO happened (at, kind, incident, is_operation, line) VALUES (?1, ?2, ?3, ?4, ?5)",
                               {std::to_string(in_milliseconds(at)), what.kind, text_of(what, "incident"),
                                is_operation(what.kind) ? "1" : "0", json_line(what, at)});
    if (!added) done = std::unexpected(added.error());
  }
  if (done) done = prune(h);
  if (done) done = execute_sql(h, "COMMIT");
  if (!done) sqlite3_exec(h, "ROLLBACK", nullptr, nullptr, nullptr);
  return done;
}

std::expected<void, sql_failure> append(const std::string& file, const std::vector<happening>& all) {
  const auto h = connect(file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  if (!h) return std::unexpected(h.error());
  return insert(h->get(), all);
}

/// SQLite makes its files with the mode of the first, which it would make readable for everybody.
int make_private(const std::string& file, mode_t mode, int flags) {
  return ::open(file.c_str(), flags | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, mode);
}

std::expected<std::vector<happening>, std::string> read(const std::string& file, const char* sql, const std::vector<sql_text>& values) {
  const auto cant = [&](const std::string& why) { return std::unexpected(fmt::format("can't read {}: {}", file, why)); };
  struct stat is{};
  if (::lstat(file.c_str(), &is) != 0) {
    if (errno == ENOENT) return std::vector<happening>{};
    return cant(std::strerror(errno));
  }
  if (!S_ISREG(is.st_mode)) return cant("it is no regular file: take it away");
  if (::access(file.c_str(), R_OK) != 0) return cant(fmt::format("{}; type `sudo` before the command", std::strerror(errno)));
  // Who may write takes back what a crash has left half done; who may not can read where there is nothing of that.
  auto h = connect(file, SQLITE_OPEN_READWRITE);
  if (!h || sqlite3_db_readonly(h->get(), "main") == 1) h = connect(file, SQLITE_OPEN_READONLY);
  if (!h) return cant(h.error().says);
  const auto rows = run_sql(h->get(), sql, values);
  if (!rows) return cant(rows.error().says);
  std::vector<happening> found;
  for (const auto& row : *rows) {
    auto what = event_in(row.at(1).value_or(""));
    if (!what) return cant("it holds what this version does not write");
    found.push_back({wall_time(milliseconds(std::atoll(row.at(0).value_or("0").c_str()))), *std::move(what)});
  }
  return found;
}

}  // namespace

std::expected<std::string, std::string> append_to_history(const std::string& file, const std::vector<happening>& all) {
  const auto cant = [&](const std::string& why) { return std::unexpected(fmt::format("can't write to {}: {}", file, why)); };
  const auto make = [&] {
    const int fd = make_private(file, 0600, O_RDWR);
    struct stat is{};
    const bool good = fd >= 0 && ::fstat(fd, &is) == 0 && S_ISREG(is.st_mode);
    if (fd >= 0 && !good) errno = EMEDIUMTYPE;
    if (fd >= 0) ::close(fd);
    return good;
  };
  if (!make()) return cant(errno == EMEDIUMTYPE ? "it is no regular file: take it away" : std::strerror(errno));
  std::string lost;
  auto done = append(file, all);
  if (!done && done.error().is_damage()) {
    const auto aside = set_aside(file, {"-journal"});
    if (!aside) return cant(fmt::format("it is damaged ({}), and can't be kept beside: {}", done.error().says, aside.error()));
    lost = fmt::format("{} is damaged ({}): it is kept as {}, and a new record is begun", file, done.error().says, *aside);
    if (!make()) return cant(std::strerror(errno));
    done = append(file, all);
  }
  if (!done) return cant(done.error().says);
  return lost;
}

std::expected<void, std::string> append_to_log(const std::string& file, const std::string& lines) {
  const auto cant = [&] { return std::unexpected(fmt::format("can't write to {}: {}", file, std::strerror(errno))); };
  const int fd = make_private(file, 0640, O_WRONLY | O_APPEND);
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
  if (!id) return read(file, "SELECT at, line FROM happened WHERE kind LIKE 'incident.%' ORDER BY number", {});
  return read(file,
              "SELECT at, line FROM happened WHERE incident = ?1 AND (is_operation OR kind = 'verdict.changed' OR number IN "
              "(SELECT number FROM happened WHERE incident = ?1 ORDER BY number DESC LIMIT ?2)) ORDER BY number",
              {*id, std::to_string(most_of_one)});
}

std::expected<std::vector<happening>, std::string> read_operations(const std::string& file, std::size_t most) {
  return read(file, "SELECT at, line FROM (SELECT * FROM happened WHERE is_operation ORDER BY number DESC LIMIT ?1) ORDER BY number",
              {std::to_string(most)});
}

}  // namespace flipback::incident
