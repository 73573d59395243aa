#include "agent/rollback/journal.hpp"

#include "agent/rollback/journal_file.hpp"
#include "agent/store/late_answer.hpp"

#include <algorithm>
#include <cstdint>
#include <deque>
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

  [[nodiscard]] journal_file::done done_to(journal_file& file) const {
    switch (is) {
      case kind::append:
        return file.append(what);
      case kind::forget:
        return file.close();
      case kind::reserve:
        break;
    }
    return file.reserve(bytes);
  }
};

struct journal::parts {
  parts(std::string path, std::shared_ptr<disk> on) : file(std::move(path), std::move(on)) {}

  journal_file file;  ///< the thread's alone, once it works
  std::mutex one_at_a_time;
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
};

journal::journal(std::string path, std::shared_ptr<disk> on) : parts_(std::make_shared<parts>(std::move(path), std::move(on))) {}
journal::~journal() = default;

std::expected<std::vector<row>, std::string> journal::read() {
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
    const journal_file::done came = now.done_to(of.file);
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
