#pragma once

#include <expected>
#include <optional>
#include <string>

namespace flipback {

/// The state is one agent's: a file beside it (".lock"), locked as long as this lives, and by the process alone, not its children.
class state_lock {
 public:
  struct refusal {
    bool is_another_agent = false;  ///< else the lock can't be tried
    std::string says;
  };
  /// Makes the folder where there is none. Blocks for at most a second, where another agent is running.
  static std::expected<state_lock, refusal> take(const std::string& file);
  state_lock(state_lock&& other) noexcept;
  state_lock& operator=(state_lock&&) = delete;
  ~state_lock();

 private:
  explicit state_lock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace flipback
