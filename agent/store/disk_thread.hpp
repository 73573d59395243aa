#pragma once

#include "flipback/units.hpp"

#include <functional>
#include <memory>

namespace flipback {

/// A thread on which what may block is done, one thing after the other, in the order in which it was posted.
class disk_thread {
 public:
  disk_thread();
  /// Waits at most `patience` for what was posted to be done. Past it, what has not begun never will, and what hangs is left to itself: it
  /// must own all that it touches.
  ~disk_thread();
  disk_thread(const disk_thread&) = delete;
  disk_thread& operator=(const disk_thread&) = delete;

  static constexpr duration patience = std::chrono::seconds(2);

  /// From any thread; never blocks. What is posted throws nothing.
  void post(std::move_only_function<void()> work);
  /// How much was posted and is not done.
  [[nodiscard]] std::size_t behind() const;

 private:
  struct queue;
  std::shared_ptr<queue> queue_;
};

}  // namespace flipback
