#include "tests/simulation/journal_writer.hpp"

#include <utility>

namespace flipback::simulation {

void journal_writer::write(const rollback::row& what, std::function<void(const std::string&)> then) {
  const std::uint64_t number = ++numbered_;
  const bool waits = then != nullptr;
  jobs_.push_back({number, {}, what, std::move(then)});
  if (waits) {
    later_(patience, [this, number] {
      for (job& j : jobs_) {
        if (j.number != number || !j.then) continue;
        const auto tell = std::exchange(j.then, nullptr);
        return tell("the disk has not taken it within 2s");
      }
    });
  }
  next();
}

void journal_writer::forget(const std::string& id) {
  // A row of an attempt that is to be forgotten is not written any more.
  std::erase_if(jobs_, [this](const job& j) { return !(writing_ && &j == &jobs_.front()) && j.forgets.empty(); });
  jobs_.push_back({++numbered_, id, {}, {}});
  next();
}

void journal_writer::again(duration wait) {
  later_(wait, [this] {
    writing_ = false;
    next();
  });
}

void journal_writer::next() {
  if (writing_ || jobs_.empty()) return;
  writing_ = true;
  later_(world_.chance.between(milliseconds(1), milliseconds(8)), [this] {
    if (world_.wrong.journal_hangs) return again(milliseconds(200));
    job& first = jobs_.front();
    std::string trouble;
    bool may_come_to_be = false;
    if (world_.wrong.journal_fails) {
      trouble = "no space left";
      may_come_to_be = true;
    } else if (!first.forgets.empty()) {
      world_.journal.rows.clear();
    } else {
      trouble = world_.journal.take(first.what);
    }
    if (!trouble.empty()) world_.tell("  journal: {}", trouble);
    const auto tell = std::exchange(first.then, nullptr);
    if (may_come_to_be) {
      again(milliseconds(200));
    } else {
      jobs_.pop_front();
      writing_ = false;
      next();
    }
    if (tell) tell(trouble);
  });
}

}  // namespace flipback::simulation
