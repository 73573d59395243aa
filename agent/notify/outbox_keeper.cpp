#include "agent/notify/outbox_keeper.hpp"

#include "agent/store/late_answer.hpp"

#include <boost/asio/post.hpp>

#include <map>
#include <mutex>
#include <utility>

namespace flipback::notify {

namespace asio = boost::asio;

/// What the thread works on; it may outlive the keeper and the loop, where a write hangs for ever.
struct outbox_keeper::disk {
  std::string file;  ///< empty: nothing is kept
  std::mutex one_at_a_time;
  std::map<std::pair<std::string, std::string>, outbox::row> rows;  ///< to be written, by letter and target
  std::string desk;
  std::vector<outbox::row> refused;
  std::string trouble;
  std::string lost;                  ///< what had to be put aside
  asio::io_context* loop = nullptr;  ///< null: nobody hears any more

  /// Whether there is something to be heard of it.
  bool write() {
    std::vector<outbox::row> batch;
    std::string kept;
    {
      const std::scoped_lock alone(one_at_a_time);
      for (auto& [key, row] : std::exchange(rows, {})) batch.push_back(std::move(row));
      kept = desk;
    }
    const auto done = write_outbox(file, batch, kept);
    const std::scoped_lock alone(one_at_a_time);
    const std::string before = std::exchange(trouble, done ? "" : done.error());
    if (done && !done->empty()) lost = *done;
    if (!done) refused.insert(refused.end(), batch.begin(), batch.end());
    return !done || !done->empty() || !before.empty();
  }
};

outbox_keeper::outbox_keeper(asio::io_context& loop, std::function<void()> heard)
    : heard_(std::move(heard)), disk_(std::make_shared<disk>()) {
  disk_->loop = &loop;
}

outbox_keeper::~outbox_keeper() {
  const std::scoped_lock alone(disk_->one_at_a_time);
  disk_->loop = nullptr;
}

std::optional<std::expected<outbox_on_disk, std::string>> outbox_keeper::open(const std::string& file) {
  if (is_open()) return std::nullopt;
  disk_->file = file;
  return read_outbox(file);
}

bool outbox_keeper::is_open() const {
  return !disk_->file.empty();
}

outbox_keeper::word outbox_keeper::hear() {
  const std::scoped_lock alone(disk_->one_at_a_time);
  word made{std::exchange(disk_->refused, {}), std::exchange(disk_->lost, {})};
  if (!made.refused.empty() || !disk_->trouble.empty()) desk_.clear();
  made.news = std::exchange(trouble_, disk_->trouble) != disk_->trouble;
  return made;
}

void outbox_keeper::write(std::vector<outbox::row> rows, std::string desk) {
  if (rows.empty() && desk == desk_) return;
  desk_ = desk;
  {
    const std::scoped_lock alone(disk_->one_at_a_time);
    for (outbox::row& row : rows) disk_->rows[{row.letter, row.target}] = std::move(row);
    disk_->desk = std::move(desk);
  }
  thread_.post([this, own = disk_] {
    if (!own->write()) return;
    const std::scoped_lock alone(own->one_at_a_time);
    if (own->loop == nullptr) return;
    asio::post(*own->loop, [this, own] {
      if (own->loop != nullptr) heard_();  // else this is gone
    });
  });
}

asio::awaitable<void> outbox_keeper::written() {
  if (!is_open() || hangs()) co_return;
  const auto done = std::make_shared<late_answer>();
  thread_.post([done] { done->give({}); });
  co_await done->wait(on_disk_within);
}

}  // namespace flipback::notify
