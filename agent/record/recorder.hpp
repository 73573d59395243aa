#pragma once

#include "flipback/event.hpp"

#include "agent/config/configuration.hpp"
#include "rules/catalogue.hpp"
#include "rules/replay/record.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include <cstddef>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

namespace flipback {

/// Records what the rules are told, for `flipback replay`: every sample of every signal, whether a rule reads it or not. A disk that is
/// slow or full holds nobody up: what it does not take is lost, and said once.
class recorder {
 public:
  static constexpr duration patience = std::chrono::seconds(1);
  static constexpr std::size_t most_waiting = 8 * 1024 * 1024;  ///< bytes that the disk has not taken yet

  /// How the deployment stands, which is what a file begins with: it is read without the one before it, too.
  struct standing {
    std::optional<instant> cutover{};
    bool window_open = false;
    std::string held{};
  };

  recorder(boost::asio::io_context& loop, const config::record& to, const rules::catalogue& signals, std::function<standing()> stands,
           std::function<void(event)> tell);
  /// Waits until what was recorded is written, but not longer than `patience`. Asks nobody how things stand: whoever knew may be gone.
  ~recorder();
  recorder(const recorder&) = delete;
  recorder& operator=(const recorder&) = delete;

  /// Begins to tell; `continues`: after a reload, with what was known before it.
  void begin(bool continues);
  /// Once a second hands on what was recorded, until cancelled.
  boost::asio::awaitable<void> run();

  /// The number under which the samples of this name are recorded.
  [[nodiscard]] std::uint32_t series_named(const std::string& samples) const { return series_.at(samples); }
  void add(std::uint32_t series, const sample& s) { writer_.write(rules::replay::sampled{series, s}); }
  void cutover(instant at, bool forgive, bool recalled) { writer_.write(rules::replay::cut_over{at, forgive, recalled}); }
  void window(instant at, bool open) { writer_.write(rules::replay::window_changed{at, open}); }
  void hold(instant at, const std::string& says) { writer_.write(rules::replay::hold_changed{at, says}); }
  void unlatched(instant at) { writer_.write(rules::replay::unlatched{at}); }
  void resumed(instant at, const rules::seen_before& what) { writer_.write(rules::replay::resumed{at, what}); }
  void unwatched(instant from, instant to) { writer_.write(rules::replay::unwatched{from, to}); }

 private:
  struct disk;

  void told(const std::expected<void, std::string>& written, std::size_t size);

  /// When what is recorded now began, by both clocks, and how the deployment stood then.
  struct moment {
    instant at = std::chrono::steady_clock::now();
    wall_time wall = std::chrono::system_clock::now();
    standing stood{};
  };
  [[nodiscard]] moment present() const { return {.stood = stands_()}; }
  /// Gives the disk what was recorded; what comes after it begins `next`.
  void hand_on(moment next);

  boost::asio::io_context& loop_;
  std::function<standing()> stands_;
  std::function<void(event)> tell_;
  std::string path_;
  std::unordered_map<std::string, std::uint32_t> series_;
  rules::replay::record_writer writer_;
  moment since_;
  std::size_t waiting_ = 0;
  bool loses_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::shared_ptr<disk> disk_;  ///< the thread's, once begun
  std::unique_ptr<boost::asio::thread_pool> thread_ = std::make_unique<boost::asio::thread_pool>(1);
};

}  // namespace flipback
