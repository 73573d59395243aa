#include "agent/store/database.hpp"

#include "agent/store/set_aside.hpp"
#include "agent/store/statement.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

namespace flipback {

namespace {

// A fact that was forgotten keeps its row: that it is none is known, too.
constexpr const char* tables =
    "CREATE TABLE IF NOT EXISTS known (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS written (what TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;";

std::expected<sql_handle, sql_failure> connect(const std::string& file, const std::string& locking) {
  auto h = open_sql(file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX);
  if (!h) return h;
  const std::string settings = locking + "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;";
  if (const auto set = execute_sql(h->get(), settings); !set) return std::unexpected(set.error());
  return h;
}

/// Locked for as long as it is open, for the state has one keeper: what SQLite would share of it with others is a file of mapped memory,
/// which a full disk has no room for, and which kills whoever touches it once the disk takes nothing more. Only where somebody reads it at
/// the start (a backup) it is shared: what is remembered is not to be forgotten for that.
std::expected<sql_handle, sql_failure> connect(const std::string& file) {
  auto h = connect(file, "PRAGMA locking_mode=EXCLUSIVE; ");
  return !h && h.error().code == SQLITE_BUSY ? connect(file, "") : std::move(h);
}

std::expected<int, sql_failure> version_in(sqlite3* h) {
  const auto rows = run_sql(h, "PRAGMA user_version", {});
  if (!rows) return std::unexpected(rows.error());
  return std::atoi(rows->at(0).at(0).value_or("0").c_str());
}

std::expected<std::string, sql_failure> text_in(sqlite3* h, const std::string& what) {
  const auto rows = run_sql(h, "SELECT value FROM written WHERE what = ?1", {what});
  if (!rows) return std::unexpected(rows.error());
  return rows->empty() ? "" : rows->front().front().value_or("");
}

std::expected<void, sql_failure> write_text(sqlite3* h, const std::string& what, const std::string& value) {
  const auto done = run_sql(h, "INSERT INTO written VALUES (?1, ?2) ON CONFLICT (what) DO UPDATE SET value = ?2", {what, value});
  if (!done) return std::unexpected(done.error());
  return {};
}

std::expected<bool, sql_failure> has_table(sqlite3* h, const std::string& like) {
  const auto rows = run_sql(h, "SELECT 1 FROM sqlite_schema WHERE name LIKE ?1", {like});
  if (!rows) return std::unexpected(rows.error());
  return !rows->empty();
}

/// Makes the tables, and takes over what was kept in those of before. All of it or nothing: a new file that has lost something must say so
/// from its first moment on.
std::expected<void, sql_failure> lay_out(sqlite3* h, const std::string& lost) {
  const auto old = has_table(h, "facts");
  if (!old) return std::unexpected(old.error());
  const std::string take_over = *old ? "INSERT OR IGNORE INTO known SELECT name, value FROM facts; DROP TABLE facts;" : "";
  auto done = execute_sql(h, fmt::format("BEGIN IMMEDIATE; {} {} PRAGMA user_version={};", tables, take_over, database::newest_form));
  if (done) done = write_text(h, "by", FLIPBACK_VERSION);
  if (done && !lost.empty()) done = write_text(h, "lost", lost);
  if (done) done = execute_sql(h, "COMMIT");
  if (!done) sqlite3_exec(h, "ROLLBACK", nullptr, nullptr, nullptr);
  return done;
}

std::expected<database::facts, sql_failure> read_facts(sqlite3* h) {
  const auto checked = run_sql(h, "PRAGMA quick_check(known)", {});
  if (!checked) return std::unexpected(checked.error());
  const std::string said = checked->empty() ? "no answer" : checked->front().front().value_or("");
  if (said != "ok") return std::unexpected(sql_failure{SQLITE_CORRUPT, said});
  auto rows = run_sql(h, "SELECT name, value FROM known", {});
  if (!rows) return std::unexpected(rows.error());
  database::facts found;
  for (auto& r : *rows) found.emplace(r[0].value_or(""), std::move(r[1]));
  return found;
}

/// The file itself, made where there is none.
std::expected<void, std::string> make_private(const std::string& file) {
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
  if (fd < 0) return std::unexpected(std::strerror(errno));
  struct stat is{};
  std::expected<void, std::string> done;
  if (::fstat(fd, &is) != 0) {
    done = std::unexpected(std::strerror(errno));
  } else if (!S_ISREG(is.st_mode)) {
    done = std::unexpected("it is no regular file");
  } else if ((is.st_mode & 07777) != 0600 && ::fchmod(fd, 0600) != 0) {
    done = std::unexpected(fmt::format("its mode can't be made 0600: {}", std::strerror(errno)));
  }
  ::close(fd);
  return done;
}

/// Whether a file is there that says nothing: what it said is gone, as after a loss of power; or the first start was cut off, which can't
/// be told from that.
bool is_there_and_empty(const std::string& file) {
  struct stat is{};
  return ::lstat(file.c_str(), &is) == 0 && S_ISREG(is.st_mode) && is.st_size == 0;
}

struct loaded {
  sql_handle h;
  database::facts found;
  std::string lost;
  int version = 0;
  std::string written_by;
};

std::expected<void, sql_failure> load_into(loaded& made, const std::string& file, std::string lost) {
  sqlite3* const h = made.h.get();
  const auto version = version_in(h);
  if (!version) return std::unexpected(version.error());
  made.version = *version;
  if (made.version > database::newest_form) {
    made.written_by = text_in(h, "by").value_or("");
    return {};
  }
  if (made.version < database::newest_form) {
    const auto used = has_table(h, "%");
    if (!used) return std::unexpected(used.error());
    // A crash may have come between putting the former file aside and this moment.
    const std::string aside = *used || !lost.empty() ? "" : newest_aside(file);
    if (!aside.empty()) lost = fmt::format("the state that was in {} could not be read and is kept as {}", file, aside);
    if (const auto laid = lay_out(h, lost); !laid) return laid;
  }
  auto found = read_facts(h);
  if (!found) return std::unexpected(found.error());
  made.found = std::move(*found);
  auto said = text_in(h, "lost");
  if (!said) return std::unexpected(said.error());
  made.lost = std::move(*said);
  // For an older version that finds the file. A disk that is too full for it is no reason not to read.
  if (text_in(h, "by") != FLIPBACK_VERSION) {
    [[maybe_unused]] const auto noted = write_text(h, "by", FLIPBACK_VERSION);
  }
  return {};
}

std::expected<loaded, sql_failure> load(const std::string& file, const std::string& lost) {
  auto connected = connect(file);
  if (!connected) return std::unexpected(connected.error());
  loaded made;
  made.h = std::move(*connected);
  if (const auto done = load_into(made, file, lost); !done) return std::unexpected(done.error());
  return made;
}

/// Why what is in the file can't be used though it could be read from the disk; "" where it can.
std::string unusable(const std::expected<loaded, sql_failure>& made) {
  if (!made) return made.error().is_damage() ? fmt::format("is damaged ({})", made.error().says) : "";
  if (made->version <= database::newest_form) return "";
  const std::string by = made->written_by.empty() ? "a newer flipback" : fmt::format("flipback {}", made->written_by);
  return fmt::format("was written by {} in its form {}, and this flipback ({}) reads forms up to {}", by, made->version, FLIPBACK_VERSION,
                     database::newest_form);
}

}  // namespace

std::expected<std::unique_ptr<database>, std::string> database::open(const std::string& file, const std::string& lost) {
  const auto not_now = [&file](std::string_view why) { return std::unexpected(fmt::format("can't keep the state in {}: {}", file, why)); };
  const bool emptied = is_there_and_empty(file);
  if (const auto made = make_private(file); !made) return not_now(made.error());
  auto now = load(file, emptied && lost.empty() ? fmt::format("{} is there and empty: what was kept in it is gone", file) : lost);
  if (const std::string why = unusable(now); !why.empty()) {
    now = std::unexpected(sql_failure{});  // closed, before it gets another name
    const auto aside = set_aside(file, {"-wal", "-shm"});
    if (!aside) return not_now(fmt::format("it {}, and it can't be kept beside: {}", why, aside.error()));
    if (const auto made = make_private(file); !made) return not_now(made.error());
    now = load(file, fmt::format("the state in {} {}; it is kept as {}", file, why, *aside));
  }
  if (!now) return not_now(now.error().says);
  std::unique_ptr<database> made(new database(file, now->h.release()));
  made->found_ = std::move(now->found);
  made->lost_ = std::move(now->lost);
  return made;
}

database::~database() {
  sqlite3_close(handle_);
}

bool database::moved() const {
  int is = 0;
  return sqlite3_file_control(handle_, "main", SQLITE_FCNTL_HAS_MOVED, &is) == SQLITE_OK && is != 0;
}

std::expected<void, std::string> database::put(const std::string& name, const std::optional<std::string>& text) {
  const auto done = run_sql(handle_, "INSERT INTO known VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2", {name, text});
  if (!done) return std::unexpected(fmt::format("can't write to {}: {}", file_, done.error().says));
  return {};
}

}  // namespace flipback
