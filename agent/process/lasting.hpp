#pragma once

#include "flipback/descriptor.hpp"
#include "flipback/units.hpp"

#include "agent/process/running.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace flipback::process {

/// What the kernel calls this boot; empty where it does not say.
std::string boot_id();
/// When a process was started, in the kernel's ticks since the boot: with its number it tells it from all others of this boot.
std::optional<std::uint64_t> start_ticks(pid_t pid);

/// A program that goes on where the agent ends: what it writes goes to memory of its own, so that nobody's end breaks a pipe under it, and
/// a file, the note, tells the next life that it runs.
class lasting {
 public:
  /// Where the note can't be written it is started all the same. An error is one sentence.
  static std::expected<std::unique_ptr<lasting>, std::string> start(const boost::asio::any_io_executor& executor,
                                                                    const std::vector<std::string>& argv, std::string note,
                                                                    std::size_t most_output);
  /// The program that the note tells of; null where there is none that still runs.
  static std::unique_ptr<lasting> left_behind(const boost::asio::any_io_executor& executor, std::string note);
  lasting(const lasting&) = delete;
  lasting& operator=(const lasting&) = delete;
  ~lasting();

  [[nodiscard]] bool has_ended() const;
  /// As `running::ended_within`.
  boost::asio::awaitable<bool> ended_within(duration limit) { return program_->ended_within(limit); }
  [[nodiscard]] pid_t pid() const { return program_->pid(); }
  /// For how long it has run, or ran until now.
  [[nodiscard]] duration age() const;
  /// Its status, once it has ended, and the first of what it wrote: nothing of a program that an earlier life started.
  [[nodiscard]] finished so_far() const;

 private:
  lasting(std::unique_ptr<running> program, descriptor memory, std::string note, std::size_t most_output);
  std::unique_ptr<running> program_;
  descriptor memory_;  ///< what it writes to; none: another life's
  std::string note_;
  std::size_t most_output_;
};

}  // namespace flipback::process
