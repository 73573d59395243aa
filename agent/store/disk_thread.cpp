#include "agent/store/disk_thread.hpp"

#include <pthread.h>
#include <signal.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace flipback {

struct disk_thread::queue {
  std::mutex one_at_a_time;
  std::condition_variable changed;
  std::deque<std::move_only_function<void()>> waiting;
  bool working = false;
  bool ending = false;  ///< ends once there is nothing to do
  bool ended = false;
  std::thread thread;

  void run() {
    std::unique_lock lock(one_at_a_time);
    for (;;) {
      changed.wait(lock, [this] { return ending || !waiting.empty(); });
      if (waiting.empty()) break;
      working = true;
      {
        std::move_only_function<void()> work = std::move(waiting.front());
        waiting.pop_front();
        lock.unlock();
        work();
      }
      lock.lock();
      working = false;
    }
    ended = true;
    changed.notify_all();
  }
};

disk_thread::disk_thread() : queue_(std::make_shared<queue>()) {
  // Signals are the loop's.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  queue_->thread = std::thread([own = queue_] { own->run(); });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

disk_thread::~disk_thread() {
  std::deque<std::move_only_function<void()>> never;
  std::unique_lock lock(queue_->one_at_a_time);
  queue_->ending = true;
  queue_->changed.notify_all();
  const bool ended = queue_->changed.wait_for(lock, patience, [this] { return queue_->ended; });
  never.swap(queue_->waiting);
  lock.unlock();
  if (ended) {
    queue_->thread.join();
  } else {
    queue_->thread.detach();
  }
}

void disk_thread::post(std::move_only_function<void()> work) {
  const std::scoped_lock lock(queue_->one_at_a_time);
  queue_->waiting.push_back(std::move(work));
  queue_->changed.notify_all();
}

std::size_t disk_thread::behind() const {
  const std::scoped_lock lock(queue_->one_at_a_time);
  return queue_->waiting.size() + (queue_->working ? 1 : 0);
}

}  // namespace flipback
