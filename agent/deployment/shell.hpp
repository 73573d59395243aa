#pragma once

#include "flipback/event.hpp"

#include "agent/deployment/decider.hpp"
#include "agent/deployment/drill.hpp"
#include "agent/deployment/standing.hpp"
#include "agent/deployment/world.hpp"
#include "agent/rollback/shell.hpp"
#include "agent/store/fact_keeper.hpp"
#include "agent/task_group.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace flipback::deployment {

/// Performs what the decider decides: takes what happens to it, one after the other, each with what is so at that instant, and does what
/// comes of it. Decides nothing.
class shell {
 public:
  struct outside {
    world& seen;
    rule_book& rules;
    fact_keeper& facts;
    rollback::shell& acting;
    std::function<void(event)> tell;
    std::function<void(const sighting&, const state&)> on_look;
    std::function<void(const state&)> on_step;   ///< told what a step has come to, before anything is done of it
    std::function<std::string()> another_agent;  ///< that another agent acts on this nginx, in words; empty: none does
  };

  shell(asio::io_context& loop, terms by, outside of);
  ~shell();

  /// Goes on with the state that the shell before a reload handed over, and with the people who wait for its answers.
  void go_on_with(state before, shell& answering);
  /// Begins with what an earlier life left, completing or undoing a rollback that was cut off. Before `watch`.
  void begin(started found);
  /// Looks again and again until `stop`.
  asio::awaitable<void> watch();
  /// Ends `watch`. A rollback under way ends first; where the agent itself ends, its proof is left to the next start.
  void stop(bool agent_ends);
  [[nodiscard]] state hand_over() { return std::move(state_); }

  /// The rules have something else to say.
  void rules_changed() { take(judged{}); }
  /// What a person asks, and the answer: whether it was done, and what is said.
  asio::awaitable<std::pair<bool, std::string>> ask(verb what);
  /// Rehearses a rollback; an error is why not now.
  asio::awaitable<std::expected<drilled, std::string>> rehearse(std::string by);
  /// A rule's own hold.
  void hold_for(const std::string& rule, const std::string& why, duration length);

  [[nodiscard]] standing stands() const;
  /// Whether an attempt is under way.
  [[nodiscard]] bool is_rolling() const { return state_.under_way.has_value(); }

 private:
  struct waiting;

  void take(happening what);
  void hear_of_facts();
  void answer_all_who_wait();
  void perform(action&& a);
  asio::awaitable<void> roll_back(attempt what);
  asio::awaitable<void> make_room(asio::awaitable<std::expected<void, std::string>> making);
  asio::awaitable<void> close_journal(std::string id);
  void spawn(asio::awaitable<void> task) { tasks_.spawn(std::move(task)); }

  asio::io_context& loop_;
  terms terms_;
  outside of_;
  state state_;
  std::deque<happening> queue_;
  bool taking_ = false;
  bool stopping_ = false;
  bool agent_ends_ = false;
  bool look_now_ = false;
  asio::steady_timer closed_;  ///< rings when the journal has forgotten an attempt
  asio::steady_timer pause_;
  task_group tasks_;
  std::map<std::uint64_t, std::shared_ptr<waiting>> waiting_;
  std::shared_ptr<drill> drill_;                                ///< while it is run
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  ///< the keeper of facts outlives this
};

}  // namespace flipback::deployment
