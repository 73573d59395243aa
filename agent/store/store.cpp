#include "agent/store/store.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <sqlite3.h>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>

namespace flipback {

namespace asio = boost::asio;

namespace {

constexpr const char* schema =
    "PRAGMA journal_mode=WAL;"
    "PRAGMA synchronous=FULL;"
    "CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS incidents (id TEXT PRIMARY KEY, outcome TEXT NOT NULL, record TEXT NOT NULL) WITHOUT ROWID;";

/// Held as long as the process lives, however it ends.
int lock(const std::string& file) {
  const std::string path = file + ".lock";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) throw std::runtime_error(fmt::format("can't open {}: {}", path, std::strerror(errno)));
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    ::close(fd);
    throw std::runtime_error(fmt::format("another agent is running with the state in {}", file));
  }
  return fd;
}

std::expected<void, std::string> run(sqlite3* database, const char* sql, const std::array<std::string, 3>& values) {
  sqlite3_stmt* statement = nullptr;
  sqlite3_prepare_v2(database, sql, -1, &statement, nullptr);
  int place = 0;
  for (const std::string& value : values) {
    if (++place <= sqlite3_bind_parameter_count(statement)) {
      sqlite3_bind_text(statement, place, value.data(), static_cast<int>(value.size()), SQLITE_TRANSIENT);
    }
  }
  const int done = sqlite3_step(statement);
  const std::string why = done == SQLITE_DONE ? "" : sqlite3_errmsg(database);
  sqlite3_finalize(statement);
  if (done == SQLITE_DONE) return {};
  return std::unexpected(why);
}

}  // namespace

struct store::parts {
  explicit parts(const std::string& file) {
    std::error_code ignored;
    std::filesystem::create_directories(std::filesystem::path(file).parent_path(), ignored);
    locked = lock(file);
    const int opened =
        sqlite3_open_v2(file.c_str(), &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX, nullptr);
    char* error = nullptr;
    if (opened != SQLITE_OK || sqlite3_exec(database, schema, nullptr, nullptr, &error) != SQLITE_OK) {
      const std::string why = error != nullptr ? error : sqlite3_errmsg(database);
      sqlite3_free(error);
      sqlite3_close(database);
      ::close(locked);
      throw std::runtime_error(fmt::format("can't keep the state in {}: {}", file, why));
    }
    sqlite3_busy_timeout(database, 1000);
  }
  ~parts() {
    thread.join();
    sqlite3_close(database);
    ::close(locked);
  }
  parts(const parts&) = delete;
  parts& operator=(const parts&) = delete;

  sqlite3* database = nullptr;
  int locked = -1;
  asio::thread_pool thread{1};
};

store::store(const std::string& file) : parts_(std::make_unique<parts>(file)) {}
store::~store() = default;

std::optional<std::string> store::get(const std::string& name) const {
  sqlite3_stmt* statement = nullptr;
  sqlite3_prepare_v2(parts_->database, "SELECT value FROM facts WHERE name = ?", -1, &statement, nullptr);
  sqlite3_bind_text(statement, 1, name.data(), static_cast<int>(name.size()), SQLITE_TRANSIENT);
  std::optional<std::string> found;
  if (sqlite3_step(statement) == SQLITE_ROW) found = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
  sqlite3_finalize(statement);
  return found;
}

asio::awaitable<std::expected<void, std::string>> store::execute(const char* sql, std::string a, std::string b, std::string c) {
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  const auto executor = co_await asio::this_coro::executor;
  struct pending {
    explicit pending(const asio::any_io_executor& on) : done(on, patience) {}
    asio::steady_timer done;  ///< cancelled when the result is there, else at the end of our patience
    std::optional<std::expected<void, std::string>> result;
  };
  const auto waiting = std::make_shared<pending>(executor);
  // Only the loop touches what waits: the thread carries it there and back.
  asio::post(parts_->thread, [database = parts_->database, sql, values = std::array{std::move(a), std::move(b), std::move(c)}, executor,
                              carried = waiting]() mutable {
    auto result = run(database, sql, values);
    asio::post(executor, [carried = std::move(carried), result = std::move(result)] {
      carried->result = result;
      carried->done.cancel();
    });
  });
  boost::system::error_code cancelled;
  if (!waiting->result) co_await waiting->done.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
  if (waiting->result) co_return *waiting->result;
  co_return std::unexpected(fmt::format("the disk has not taken it within {}", format_duration(patience)));
}

asio::awaitable<std::expected<void, std::string>> store::put(std::string name, std::string value) {
  return execute("INSERT INTO facts VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2", std::move(name), std::move(value), {});
}

asio::awaitable<std::expected<void, std::string>> store::forget(std::string name) {
  return execute("DELETE FROM facts WHERE name = ?1", std::move(name), {}, {});
}

asio::awaitable<std::expected<void, std::string>> store::record(std::string incident, std::string outcome, std::string json) {
  return execute("INSERT INTO incidents VALUES (?1, ?2, ?3) ON CONFLICT (id) DO UPDATE SET outcome = ?2, record = ?3", std::move(incident),
                 std::move(outcome), std::move(json));
}

}  // namespace flipback
