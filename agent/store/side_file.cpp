#include "agent/store/side_file.hpp"

#include "agent/store/set_aside.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace flipback {

namespace {

using std::unexpected;

std::expected<sql_handle, sql_failure> connect(const side_file& to, int flags) {
  auto h = open_sql(to.path, flags);
  if (!h) return h;
  const auto version = run_sql(h->get(), "PRAGMA user_version", {});
  if (!version) return unexpected(version.error());
  if (const int found = std::atoi(version->at(0).at(0).value_or("0").c_str()); found > to.form)
    return unexpected(sql_failure{SQLITE_NOTADB, fmt::format("its form is {}, and this flipback reads forms up to {}", found, to.form)});
  return h;
}

/// SQLite makes its files with the mode of the first, which it would make readable for everybody. An error: why it can't be had.
std::expected<void, std::string> make(const std::string& file) {
  const int fd = open_private(file, 0600, O_RDWR);
  if (fd < 0) return unexpected(std::string(std::strerror(errno)));
  struct stat is{};
  const bool is_file = ::fstat(fd, &is) == 0 && S_ISREG(is.st_mode);
  ::close(fd);
  if (!is_file) return unexpected(std::string("it is no regular file: take it away"));
  return {};
}

std::expected<void, sql_failure> try_to_change(const side_file& in, const std::function<std::expected<void, sql_failure>(sqlite3*)>& how) {
  const auto h = connect(in, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  if (!h) return unexpected(h.error());
  auto done = execute_sql(h->get(), "BEGIN IMMEDIATE");
  if (done) done = execute_sql(h->get(), in.tables);
  if (done) done = execute_sql(h->get(), fmt::format("PRAGMA user_version={}", in.form));
  if (done) done = how(h->get());
  if (done) done = execute_sql(h->get(), "COMMIT");
  if (!done) sqlite3_exec(h->get(), "ROLLBACK", nullptr, nullptr, nullptr);
  return done;
}

}  // namespace

int open_private(const std::string& file, unsigned mode, int flags) {
  return ::open(file.c_str(), flags | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, mode);
}

std::expected<std::string, std::string> change(const side_file& in, const std::function<std::expected<void, sql_failure>(sqlite3*)>& how) {
  const auto cant = [&](const std::string& why) { return unexpected(fmt::format("can't write to {}: {}", in.path, why)); };
  if (const auto made = make(in.path); !made) return cant(made.error());
  auto done = try_to_change(in, how);
  std::string lost;
  if (!done && done.error().is_damage()) {
    const auto aside = set_aside(in.path, {"-journal"});
    if (!aside) return cant(fmt::format("it is damaged ({}), and can't be kept beside: {}", done.error().says, aside.error()));
    lost = fmt::format("{} is damaged ({}): it is kept as {}, and {}", in.path, done.error().says, *aside, in.is_begun);
    if (const auto made = make(in.path); !made) return cant(made.error());
    done = try_to_change(in, how);
  }
  if (!done) return cant(done.error().says);
  return lost;
}

std::expected<sql_rows, std::string> rows_of(const side_file& in, const char* sql, const std::vector<sql_text>& values) {
  const auto cant = [&](const std::string& why) { return unexpected(fmt::format("can't read {}: {}", in.path, why)); };
  struct stat is{};
  if (::lstat(in.path.c_str(), &is) != 0) {
    if (errno == ENOENT) return sql_rows{};
    return cant(std::strerror(errno));
  }
  if (!S_ISREG(is.st_mode)) return cant("it is no regular file: take it away");
  if (::access(in.path.c_str(), R_OK) != 0) return cant(fmt::format("{}; type `sudo` before the command", std::strerror(errno)));
  // Who may write takes back what a crash has left half done; who may not can read where there is nothing of that.
  auto h = connect(in, SQLITE_OPEN_READWRITE);
  if (!h || sqlite3_db_readonly(h->get(), "main") == 1) h = connect(in, SQLITE_OPEN_READONLY);
  if (!h) return cant(h.error().says);
  auto rows = run_sql(h->get(), sql, values);
  if (!rows) return cant(rows.error().says);
  return *std::move(rows);
}

}  // namespace flipback
