#pragma once

#include "tests/simulation/host.hpp"

#include <string>

namespace flipback::simulation {

/// Those who operate the host, by the runbook and beside it, at any moment; and what goes out of order by itself.
class people {
 public:
  people(world& in, host& on, invariants& to) : world_(in), host_(on), watcher_(to) {}

  /// Does one thing, drawn by chance.
  void do_something();
  /// Everybody is done, and everything is mended.
  void leave_in_peace();

  void cut_over(slot_number to);
  void deploy(slot_number n, slots_model::condition quality);

 private:
  void write_live(std::size_t file, file_image image);
  void point_at(slot_number to, bool then_reload);
  void edit();
  void move_by_hand();
  void say_verb();
  void break_something();
  void new_terms();
  [[nodiscard]] slot_number named() const;
  [[nodiscard]] std::string next_release();

  world& world_;
  host& host_;
  invariants& watcher_;
  std::uint64_t verbs_ = 0;
  unsigned releases_ = 2;
  bool gone_ = false;
};

}  // namespace flipback::simulation
