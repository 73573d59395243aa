#include "agent/incident/history.hpp"

#include "agent/event_lines.hpp"
#include "agent/incident/book.hpp"
#include "agent/incident/history_file.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include <deque>
#include <filesystem>
#include <iterator>
#include <mutex>
#include <utility>

namespace flipback::incident {

namespace asio = boost::asio;

namespace {

std::string beside(const std::string& state_file, const char* extension) {
  return std::filesystem::path(state_file).replace_extension(extension).string();
}

/// What is too long keeps what it is, and the beginning of what it says.
event bounded(const event& e, wall_time at) {
  if (json_line(e, at).size() <= history::longest_line) return e;
  event cut{e.kind, e.severity, e.says.substr(0, history::longest_line / 8) + " …", {}};
  return cut.with("incident", text_of(e, "incident"));
}

}  // namespace

/// What the thread works on; it may outlive the history, where a write hangs for ever.
struct history::parts {
  explicit parts(const asio::any_io_executor& on) : loop(on), again(on) {}

  asio::any_io_executor loop;
  asio::steady_timer again;                         ///< the loop's alone
  std::function<void(const std::string&)> trouble;  ///< the loop's alone
  std::string told;                                 ///< the loop's alone: what `trouble` was told last
  std::string file;
  std::string log;

  std::mutex one_at_a_time;
  std::deque<happening> waiting;
  std::size_t lost = 0;
  std::size_t logged = 0;  ///< the thread's alone: of those that wait, how many are in the operations' log already

  void keep_to_the_bound() {
    for (; waiting.size() > most_waiting; ++lost) waiting.pop_front();
  }

  /// Writes what waits; an error is why something still does.
  std::expected<void, std::string> write() {
    std::vector<happening> batch;
    {
      const std::scoped_lock alone(one_at_a_time);
      batch.assign(std::move_iterator(waiting.begin()), std::move_iterator(waiting.end()));
      waiting.clear();
    }
    std::expected<void, std::string> done;
    std::string lines;
    for (std::size_t i = std::min(logged, batch.size()); i < batch.size(); ++i) {
      if (is_operation(batch[i].what.kind)) lines += text_line(batch[i].what, batch[i].at) + '\n';
    }
    if (!lines.empty()) done = append_to_log(log, lines);
    logged = done ? batch.size() : std::min(logged, batch.size());
    if (done && !batch.empty()) done = append_to_history(file, batch);
    if (done) {
      logged = 0;
      return done;
    }
    const std::scoped_lock alone(one_at_a_time);
    waiting.insert(waiting.begin(), std::move_iterator(batch.begin()), std::move_iterator(batch.end()));
    keep_to_the_bound();
    return done;
  }
};

history::history(asio::any_io_executor loop, const std::string& state_file, std::function<void(const std::string&)> trouble)
    : parts_(std::make_shared<parts>(loop)) {
  parts_->file = file_beside(state_file);
  parts_->log = log_beside(state_file);
  parts_->trouble = std::move(trouble);
}

history::~history() {
  parts_->trouble = nullptr;
  parts_->again.cancel();
  thread_.post([own = parts_] { (void)own->write(); });
}

std::expected<void, std::string> history::write(parts& of) {
  return of.write();
}

const std::string& history::file_of(const parts& of) {
  return of.file;
}

std::string history::file_beside(const std::string& state_file) {
  return beside(state_file, ".history.db");
}

std::string history::log_beside(const std::string& state_file) {
  return beside(state_file, ".ops.log");
}

void history::add(const event& e, wall_time at) {
  {
    const std::scoped_lock alone(parts_->one_at_a_time);
    parts_->waiting.push_back({at, bounded(e, at)});
    parts_->keep_to_the_bound();
  }
  if (parts_->told.empty()) write_soon();  // else it is tried again in its time
}

/// What was told since the last write began is written together.
void history::write_soon() {
  if (std::exchange(writing_, true)) return;
  thread_.post([this, own = parts_] {
    auto done = own->write();
    asio::post(own->loop, [this, own, came = std::move(done)] {
      if (own->trouble) came_to(came);  // else this is gone
    });
  });
}

void history::came_to(const std::expected<void, std::string>& came) {
  writing_ = false;
  std::string says = came ? std::string() : came.error();
  bool more = false;
  {
    const std::scoped_lock alone(parts_->one_at_a_time);
    more = !parts_->waiting.empty();
    if (came && parts_->lost > 0) says = fmt::format("{} events are lost, which no disk took", std::exchange(parts_->lost, 0));
  }
  const bool failed = !came;
  if (std::exchange(parts_->told, failed ? says : "") != says) parts_->trouble(says);
  if (!failed && more) return write_soon();
  if (!failed) return;
  parts_->again.expires_after(again_after);
  parts_->again.async_wait([this, own = parts_](const boost::system::error_code& error) {
    if (!error && own->trouble) write_soon();
  });
}

}  // namespace flipback::incident
