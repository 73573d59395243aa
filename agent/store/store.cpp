#include "agent/store/store.hpp"

#include "agent/store/database.hpp"
#include "agent/store/late_answer.hpp"
#include "agent/store/state_lock.hpp"

#include <fmt/format.h>

#include <mutex>
#include <stdexcept>

namespace flipback {

namespace asio = boost::asio;

namespace {

/// Writes that wait behind one that hangs: more are refused.
constexpr std::size_t most_behind = 64;

}  // namespace

/// What the thread works on; it may outlive the store, where a write hangs for ever.
struct store::parts {
  explicit parts(std::string of) : file(std::move(of)) {}

  std::string file;
  std::optional<state_lock> locked;
  std::unique_ptr<database> open;  ///< the thread's alone, once it runs

  mutable std::mutex one_at_a_time;
  database::facts known;   ///< what is on the disk
  std::string unreadable;  ///< why `known` is not what was kept: it was never opened; "" since it was
  std::string lost;        ///< why what is not in `known` can't be read; "" where it is none
  std::string trouble;
  bool started = false;
  std::function<void(duration)> told_of_writes;  ///< the thread's alone

  std::expected<void, std::string> lock() {
    if (locked) return {};
    auto taken = state_lock::take(file);
    if (!taken) {
      if (taken.error().is_another_agent && !started) throw std::runtime_error(taken.error().says);
      return std::unexpected(taken.error().says);
    }
    locked.emplace(std::move(*taken));
    return {};
  }

  /// Sees to it that there is a database that says all that is known.
  std::expected<void, std::string> ready() {
    if (open && !open->moved()) return {};
    if (open) locked.reset();  // its file went with the folder, most likely
    open.reset();
    if (const auto done = lock(); !done) return done;
    auto opened = database::open(file, lost);
    if (!opened) return std::unexpected(opened.error());
    for (const auto& [name, text] : known) {
      if (auto done = (*opened)->put(name, text); !done) return done;
    }
    open = std::move(*opened);
    const std::scoped_lock alone(one_at_a_time);
    known.insert(open->found().begin(), open->found().end());
    if (lost.empty()) lost = open->lost();
    unreadable.clear();
    return {};
  }
};

store::store(const std::string& file) : parts_(std::make_shared<parts>(file)) {
  const auto done = parts_->ready();
  parts_->started = true;
  if (!done) parts_->unreadable = done.error();
  parts_->trouble = done ? parts_->lost : done.error();
}

store::~store() {
  // Closed where the writes are done, since that writes, too.
  thread_.post([own = parts_] {
    own->open.reset();
    own->locked.reset();
  });
}

std::string store::trouble() const {
  return parts_->trouble;
}

std::expected<std::optional<std::string>, std::string> store::get(const std::string& name) const {
  const std::scoped_lock alone(parts_->one_at_a_time);
  if (!parts_->unreadable.empty()) return std::unexpected(parts_->unreadable);
  const auto found = parts_->known.find(name);
  if (found != parts_->known.end()) return found->second;
  if (!parts_->lost.empty()) return std::unexpected(parts_->lost);
  return std::nullopt;
}

void store::on_write(std::function<void(duration took)> told) {
  thread_.post([own = parts_, told = std::move(told)]() mutable { own->told_of_writes = std::move(told); });
}

asio::awaitable<std::expected<void, std::string>> store::execute(write what) {
  if (thread_.behind() >= most_behind) {
    co_return std::unexpected(fmt::format("{} writes to {} wait for one that the disk does not finish", most_behind, parts_->file));
  }
  const auto answer = std::make_shared<late_answer>();
  thread_.post([own = parts_, answer, work = std::move(what)]() mutable {
    const instant began = std::chrono::steady_clock::now();
    auto done = own->ready();
    if (done) done = work(*own);
    if (own->told_of_writes) own->told_of_writes(std::chrono::steady_clock::now() - began);
    answer->give(std::move(done));
  });
  co_return co_await answer->wait(patience);
}

asio::awaitable<std::expected<void, std::string>> store::keep(std::string name, std::optional<std::string> text) {
  write what = [name = std::move(name), text = std::move(text)](parts& on) {
    auto done = on.open->put(name, text);
    const std::scoped_lock alone(on.one_at_a_time);
    if (done) on.known.insert_or_assign(name, text);
    return done;
  };
  return execute(std::move(what));
}

asio::awaitable<std::expected<void, std::string>> store::put(std::string name, std::string value) {
  return keep(std::move(name), std::move(value));
}

asio::awaitable<std::expected<void, std::string>> store::forget(std::string name) {
  return keep(std::move(name), std::nullopt);
}

}  // namespace flipback
