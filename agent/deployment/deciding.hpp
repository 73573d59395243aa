#pragma once

#include "agent/deployment/decider.hpp"

namespace flipback::deployment {

inline constexpr duration asked_long_ago = std::chrono::seconds(30);  ///< an asker has limits of its own: past this it is taken for lost
inline constexpr duration order_lives = std::chrono::seconds(30);     ///< how long a person's order may wait for answers
inline constexpr duration flip_lives = std::chrono::seconds(60);      ///< a flip: for two tests and two readings of nginx's, too

/// Whether an answer may still come to what was asked then.
inline bool is_asking(const std::optional<instant>& since, instant now) {
  return since && now - *since < asked_long_ago;
}

/// One step of the decider while it is being taken: the state that it changes, and the actions that come of it. Only the decider's own
/// files know it: decider.cpp, answers.cpp, attempts.cpp and verbs.cpp.
struct deciding {
  state s;
  const terms& by;
  const present& now;
  std::vector<action> actions{};
  bool stale_rules = false;  ///< what `now` says of the rules was said of another epoch

  void on(const started& e);
  void on(const looked& e);
  void on(const judged&) {}
  void on(const stable_answered& e);
  void on(const blame_answered& e);
  void on(const ready_looked& e);
  void on(const prepared& e);
  void on(const changed& e);
  void on(const ended& e);
  void on(const journal_closed& e);
  void on(const pausing& e);
  void on(const stored& e);
  void on(const verb& v);

  void consider();
  void ask_leave();
  void watch_window();
  void remember_doubts();
  void say_lacks();

 private:
  void act(action a) { actions.push_back(std::move(a)); }
  void tell(std::string kind, severity how, std::string says);
  void keep_fact(fact which);
  void ask_for(const needs& missing, const std::string& rule, instant condition, const std::optional<placed>& to);
  void say_stance(const std::string& rule, const weighed& w);
  void begin(const cause& why, const placed& to, const std::string& whom);
  void after_new_epoch(bool forgive);
  void make_room();
  void refuse_order(const std::string& why);
  void weigh_rules();
  void prepare_for_pending();
  void drop_what_is_over();
  void doubt_what_was_true(const std::map<std::string, trouble>& before);
  [[nodiscard]] bool is_troubled() const;
  bool ended_rollback(const attempt& a, const rollback::ending& how);
  [[nodiscard]] std::string after_flip(const attempt& a, const rollback::ending& how) const;
  std::string say_ended(const attempt& a, const rollback::ending& how, bool failed);
  /// Whether it is a rule's that was tried, and has failed without changing anything: that is counted.
  bool count_failed(const attempt& a, const rollback::ending& how);
  void stop(attempt& a, const std::string& why);
  [[nodiscard]] bool is_too_early() const;
  [[nodiscard]] std::uint64_t epoch_number() const;
  [[nodiscard]] std::string what_it_waits_for() const;

  [[nodiscard]] std::string busy() const;
  void roll_back(const verb& v);
  void flip(const verb& v);
  void approve(const verb& v);
  void hold_for(const verb& v);
  void unhold(const verb& v);
  void unlatch(const verb& v);
  void window_open(const verb& v);
  void window_close(const verb& v);
  void answer(const verb& v, bool done, std::string text) { act(answer_verb{v.id, done, std::move(text)}); }
  void answer_when_stored(const verb& v, fact which, std::string text);
  [[nodiscard]] std::string why_not_known() const;
};

}  // namespace flipback::deployment
