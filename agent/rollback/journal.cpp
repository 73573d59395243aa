#include "agent/rollback/journal.hpp"

#include "agent/rollback/journal_file.hpp"
#include "agent/rollback/kept_files.hpp"
#include "agent/store/late_answer.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <mutex>
#include <utility>

namespace flipback::rollback {

namespace asio = boost::asio;

struct journal::job {
  enum class kind : std::uint8_t { append, forget, reserve };
  kind is = kind::append;
  row what;               ///< of append
  std::size_t bytes = 0;  ///< of reserve
  std::shared_ptr<late_answer> answer = std::make_shared<late_answer>();
};

struct journal::parts {
  parts(const std::string& path, const std::shared_ptr<disk>& on)
      : file(path, on), before(std::filesystem::path(path).replace_extension(".incidents"), on) {}

  journal_file file;  ///< the thread's alone, once it works
  kept_files before;  ///< so is this
  mutable std::mutex one_at_a_time;
  std::deque<attempt> to_keep;  ///< what their files said before is kept before the next `forget` is done
  std::string kept;
  bool is_news = false;     ///< `kept` was not asked for since
  std::deque<job> waiting;  ///< in the order in which they are to be done
  bool working = false;     ///< the thread is at it, or about to be

  /// A row of an attempt that is to be forgotten is not written any more.
  [[nodiscard]] bool forgets() const {
    return std::ranges::any_of(waiting, [](const job& j) { return j.is == job::kind::forget; });
  }
  void drop_rows() {
    for (const job& j : waiting) {
      if (j.is == job::kind::append) j.answer->give(std::unexpected("its rollback was forgotten"));
    }
    std::erase_if(waiting, [](const job& j) { return j.is != job::kind::reserve; });
  }

  journal_file::done carry_out(const job& now) {
    switch (now.is) {
      case job::kind::append:
        return file.append(now.what);
      case job::kind::forget:
        if (auto done = keep_all(); !done) return done;
        return file.close();
      case job::kind::reserve:
        break;
    }
    return file.reserve(now.bytes);
  }

  journal_file::done keep_all() {
    for (;;) {
      std::unique_lock lock(one_at_a_time);
      if (to_keep.empty()) return {};
      const attempt next = to_keep.front();
      lock.unlock();
      if (auto done = before.keep(next); !done)
        return std::unexpected(journal_file::trouble{journal_file::trouble::kind::not_now, std::move(done.error())});
      std::string newest = before.newest();
      lock.lock();
      to_keep.pop_front();
      kept = std::move(newest);
      is_news = !kept.empty();
    }
  }
};

journal::journal(std::string path, std::shared_ptr<disk> on) : parts_(std::make_shared<parts>(std::move(path), std::move(on))) {}
journal::~journal() = default;

std::expected<std::vector<row>, std::string> journal::read() {
  parts_->kept = parts_->before.newest();
  auto found = parts_->file.read();
  if (!found) return std::unexpected(std::move(found.error().says));
  return std::move(*found);
}

void journal::work_off(parts& of) {
  std::unique_lock lock(of.one_at_a_time);
  while (!of.waiting.empty()) {
    job now = std::move(of.waiting.front());
    of.waiting.pop_front();
    lock.unlock();
    const journal_file::done came = of.carry_out(now);
    lock.lock();
    // Answered with the lock held: what is asked for because of the answer comes after this has been dealt with.
    now.answer->give(came ? late_answer::result() : std::unexpected(came.error().says));
    const bool may_come_to_be = !came && came.error().is == journal_file::trouble::kind::not_now;
    const bool is_void = now.is == job::kind::reserve || (now.is == job::kind::append && of.forgets());
    if (!may_come_to_be || is_void) continue;
    // Nothing may overtake it: what waits behind it fails with it, and all of it is tried again with whatever is asked for next.
    for (const job& behind : of.waiting) behind.answer->give(std::unexpected(came.error().says));
    of.waiting.push_front(std::move(now));
    break;
  }
  of.working = false;
}

asio::awaitable<std::expected<void, std::string>> journal::ask(job what) {
  const auto answer = what.answer;
  {
    const std::scoped_lock alone(parts_->one_at_a_time);
    if (what.is == job::kind::forget) parts_->drop_rows();
    parts_->waiting.push_back(std::move(what));
    if (!std::exchange(parts_->working, true)) thread_.post([own = parts_] { work_off(*own); });
  }
  co_return co_await answer->wait(patience);
}

asio::awaitable<std::expected<void, std::string>> journal::write(row what) {
  job asked;
  asked.what = std::move(what);
  return ask(std::move(asked));
}

void journal::keep(attempt of) {
  const std::scoped_lock alone(parts_->one_at_a_time);
  parts_->to_keep.push_back(std::move(of));
}

std::string journal::kept() const {
  const std::scoped_lock alone(parts_->one_at_a_time);
  return parts_->kept;
}

std::string journal::newly_kept() {
  const std::scoped_lock alone(parts_->one_at_a_time);
  return std::exchange(parts_->is_news, false) ? parts_->kept : std::string();
}

asio::awaitable<std::expected<void, std::string>> journal::forget() {
  job asked;
  asked.is = job::kind::forget;
  return ask(std::move(asked));
}

asio::awaitable<std::expected<void, std::string>> journal::reserve(std::size_t bytes) {
  job asked;
  asked.is = job::kind::reserve;
  asked.bytes = bytes;
  return ask(std::move(asked));
}

std::size_t room_for(const attempt& what) {
  constexpr std::size_t rows_that_follow = 64;
  row first;
  first.of = what;
  return frames::first_frame + frames::size_of(to_text(first).size()) + rows_that_follow * frames::block;
}

}  // namespace flipback::rollback
