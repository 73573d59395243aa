#include "agent/incident/history.hpp"

#include "agent/event_lines.hpp"
#include "agent/incident/book.hpp"
#include "agent/incident/history_file.hpp"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
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

/// One of the two files, and what waits for it.
struct sink {
  /// Blocks. What it gives is what had to be put aside, or "".
  std::function<std::expected<std::string, std::string>(const std::vector<happening>&)> put;
  std::deque<happening> waiting{};
  std::size_t lost = 0;
  std::string trouble{};  ///< why it took nothing the last time; empty: it did
  std::string aside{};    ///< what had to be put aside, and was not told yet

  void add(happening h) {
    waiting.push_back(std::move(h));
    for (; waiting.size() > history::most_waiting; ++lost) waiting.pop_front();
  }
};

}  // namespace

/// What the thread works on; it may outlive the history, and the loop, where a write hangs for ever.
struct history::parts {
  std::string file;
  std::mutex one_at_a_time;  ///< over all that follows, but for the time that a `put` takes
  std::array<sink, 2> sinks;
  asio::io_context* loop = nullptr;  ///< null: nobody hears any more

  void write(sink& to) {
    std::vector<happening> batch;
    {
      const std::scoped_lock alone(one_at_a_time);
      batch.assign(std::move_iterator(to.waiting.begin()), std::move_iterator(to.waiting.end()));
      to.waiting.clear();
    }
    if (batch.empty()) return;
    const auto done = to.put(batch);
    const std::scoped_lock alone(one_at_a_time);
    to.trouble = done ? "" : done.error();
    if (done && !done->empty()) to.aside = *done;
    if (done) return;
    std::deque<happening> newer = std::exchange(to.waiting, {});
    for (happening& h : batch) to.add(std::move(h));
    for (happening& h : newer) to.add(std::move(h));
  }
};

history::history(asio::io_context& loop, const std::string& state_file, std::function<void(event)> tell)
    : tell_(std::move(tell)), again_(loop), parts_(std::make_shared<parts>()) {
  parts_->file = file_beside(state_file);
  parts_->loop = &loop;
  parts_->sinks[0].put = [file = parts_->file](const std::vector<happening>& all) { return append_to_history(file, all); };
  parts_->sinks[1].put = [file = log_beside(state_file)](const std::vector<happening>& all) -> std::expected<std::string, std::string> {
    std::string lines;
    for (const auto& [at, what] : all) lines += text_line(what, at) + '\n';
    if (const auto done = append_to_log(file, lines); !done) return std::unexpected(done.error());
    return std::string();
  };
}

history::~history() {
  {
    const std::scoped_lock alone(parts_->one_at_a_time);
    parts_->loop = nullptr;
  }
  thread_.post([own = parts_] { write(*own); });
}

void history::write(parts& of) {
  for (sink& each : of.sinks) of.write(each);
}

record history::record_of(parts& of) {
  const std::scoped_lock alone(of.one_at_a_time);
  const auto& waiting = of.sinks[0].waiting;
  return {of.file, {waiting.begin(), waiting.end()}};
}

std::string history::file_beside(const std::string& state_file) {
  return beside(state_file, ".history.db");
}

std::string history::log_beside(const std::string& state_file) {
  return beside(state_file, ".ops.log");
}

void history::add(const event& e, wall_time at) {
  happening kept{at, bounded(e, at)};
  {
    const std::scoped_lock alone(parts_->one_at_a_time);
    if (is_operation(e.kind)) parts_->sinks[1].add(kept);
    parts_->sinks[0].add(std::move(kept));
  }
  if (told_.empty()) write_soon();  // else it is tried again in its time
}

/// What was told since the last write began is written together.
void history::write_soon() {
  if (std::exchange(writing_, true)) return;
  thread_.post([this, own = parts_] {
    write(*own);
    const std::scoped_lock alone(own->one_at_a_time);
    if (own->loop == nullptr) return;
    asio::post(*own->loop, [this, own] {
      if (own->loop != nullptr) came_to();  // else this is gone
    });
  });
}

void history::came_to() {
  writing_ = false;
  std::string trouble;
  std::string aside;
  std::size_t lost = 0;
  bool more = false;
  {
    const std::scoped_lock alone(parts_->one_at_a_time);
    for (sink& each : parts_->sinks) {
      if (!each.trouble.empty()) trouble += (trouble.empty() ? "" : "; ") + each.trouble;
      more = more || !each.waiting.empty();
      aside += std::exchange(each.aside, {});
      if (each.trouble.empty()) lost += std::exchange(each.lost, 0);
    }
  }
  if (!aside.empty()) tell_({"history.lost", severity::warning, aside, {}});
  if (lost > 0)
    tell_({"history.lost", severity::warning, fmt::format("{} events are on no record, since no disk took them in time", lost), {}});
  if (std::exchange(told_, trouble) != trouble) {
    if (trouble.empty())
      tell_({"history.kept", severity::info, "what happens is on record again", {}});
    else
      tell_({"history.failed", severity::warning, fmt::format("what happens is not on record: {}", trouble), {}});
  }
  if (trouble.empty()) {
    if (more) write_soon();
    return;
  }
  again_.expires_after(again_after);
  again_.async_wait([this](const boost::system::error_code& error) {
    if (!error) write_soon();
  });
}

}  // namespace flipback::incident
