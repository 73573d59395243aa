#pragma once

#include "agent/rollback/machine.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flipback::rollback {

/// One step of the machine while it is being taken: the state that it changes, and the actions that come of it. Only machine.cpp and
/// undoing.cpp know it.
class stepping {
 public:
  using phase = machine_state::phase;

  stepping(machine_state before, const plan& of) : s(std::move(before)), plan_(of) {}

  void on(const start& e);
  void on(const start_over& e);
  void on(const written& e);
  void on(const tested& e);
  void on(const leave& e);
  void on(const stop& e);
  void on(const put_done& e);
  void on(const reloaded& e);
  void on(const proof_looked& e);

  machine_state s;
  std::vector<action> actions;

 private:
  void act(action a) { actions.push_back(std::move(a)); }
  void say(std::string_view step, std::string_view result, const std::string& says, bool bad = false);
  void write(row::kind kind, answer is, std::string says, bool awaited = false);
  void put_next();
  void put_back_next();
  void follow_next();
  void ask_test(phase in);
  void ask_reload(phase in);
  void begin_proof(phase in, claim what);
  void look_who_is_reached(claim first);
  void judge_proof();
  void judge_in_vain(const proof& found);
  void look_what_came(std::string says);
  [[nodiscard]] bool by_command() const;
  void undo(std::string why);
  void after_undo_of_files();
  void end_again(const cut_off& found, bool all_before);
  void over(outcome how, std::string says, std::optional<slot_number> reached);
  [[nodiscard]] std::string whose_file(const std::string& refusal) const;
  [[nodiscard]] std::string with_trouble(std::string says) const;
  /// Why the switch, as it was read last, does not name the slot that it was put to; empty: it does, or it can't be told.
  [[nodiscard]] std::string named_otherwise() const;
  [[nodiscard]] std::string turned_by_somebody() const;
  void give_way(const std::string& why);
  [[nodiscard]] std::size_t changes() const { return plan_.of.changes.size(); }
  [[nodiscard]] bool is_there(std::size_t i) const { return s.put[i] && !(i < s.untold.size() && s.untold[i]); }
  [[nodiscard]] bool any_put() const { return std::ranges::find(s.put, true) != s.put.end(); }

  const plan& plan_;
};

}  // namespace flipback::rollback
