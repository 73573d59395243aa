#include "agent/deployment/shell.hpp"

#include "agent/deployment/unanswered.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace flipback::deployment {

namespace {

constexpr duration hurried_look = std::chrono::milliseconds(50);  ///< while something may be changing

template <typename... F>
struct overloaded : F... {
  using F::operator()...;
};

}  // namespace

/// A person who waits for an answer.
struct shell::waiting {
  explicit waiting(asio::io_context& loop) : answered(loop, asio::steady_timer::time_point::max()) {}
  std::optional<std::pair<bool, std::string>> answer;
  asio::steady_timer answered;
};

shell::shell(asio::io_context& loop, terms by, outside of)
    : loop_(loop), terms_(std::move(by)), of_(std::move(of)), closed_(loop), pause_(loop), tasks_(loop, [this](const std::string& why) {
        of_.tell({"agent.task_failed", severity::critical, why, {}});
      }) {}

/// Only the shell that has the state hears of it: another one may be made, and thrown away, while a configuration is tried.
void shell::hear_of_facts() {
  of_.facts.tell([this, here = std::weak_ptr(alive_)](const std::string& name, const fact_keeper::standing& now) {
    if (here.lock()) take(stored{name, now ? std::string() : now.error(), 0});
  });
}

/// Who waits now waits for a deployment that a reload took away.
shell::~shell() {
  for (const auto& [id, who] : waiting_) {
    who->answer = {false, "the configuration was read anew, and this was dropped; `flipback status` tells what is so"};
    who->answered.cancel();
  }
}

void shell::go_on_with(state before, shell& answering) {
  state_ = std::move(before);
  waiting_ = std::exchange(answering.waiting_, {});
  // What was being asked was asked by the shell before.
  state_.asking_stable.reset();
  state_.asking_blame.clear();
  state_.asking_ready.reset();
  state_.ready.reset();
  of_.on_step(state_);
  state_.in_doubt.failed.reset();  // what refused may be mended
  hear_of_facts();
  for (const auto& [fact, trouble] : of_.facts.not_kept()) take(stored{fact, trouble, 0});
  if (state_.closing) spawn(close_journal(*state_.closing));
  if (state_.track.now && state_.track.now->back) perform(stage_for{state_.track.now->back->to.slot});  // the files may be others
}

void shell::begin(started found) {
  hear_of_facts();
  take(std::move(found));
}

/// Nothing is decided in the middle of something else: what happens while
/// actions are performed is taken after them.
void shell::take(happening what) {
  queue_.push_back(std::move(what));
  if (std::exchange(taking_, true)) return;
  while (!queue_.empty()) {
    const happening next = std::move(queue_.front());
    queue_.pop_front();
    try {
      present now{of_.seen.now().now, of_.seen.names(), of_.rules.rules_now(state_), of_.another_agent(), of_.rules.not_this_release()};
      stepped done = step(state_, terms_, now, next);
      state_ = std::move(done.after);
      of_.on_step(state_);
      for (action& a : done.actions) perform(std::move(a));
    } catch (const std::exception& error) {  // a mistake of ours must not leave the deployment unwatched
      of_.tell({"agent.task_failed", severity::critical, fmt::format("a step of the decision failed: {}", error.what()), {}});
    }
  }
  taking_ = false;
}

void shell::perform(action&& a) {
  std::visit(overloaded{[&](start_rules_anew& r) { of_.rules.start_anew(r); }, [&](say& s) { of_.tell(std::move(s.what)); },
                        [&](tell_window& w) { of_.rules.window(w.open); },
                        [&](ask_stable& q) {
                          spawn([](shell& self, ask_stable what) -> asio::awaitable<void> {
                            // Its health last: of the checks, which are asked at once, one may take as long as its `timeout`.
                            std::string unmet = co_await self.of_.rules.unmet_check(what.slot);
                            const instant asked = self.of_.seen.now().now.at;
                            const slot_reply got = co_await self.of_.seen.ask_slot(what.slot);
                            const bool told = got.self.is == reply::kind::identified;
                            self.take(stable_answered{{what.epoch, what.slot, asked, got.well, told ? got.self.release : std::string(),
                                                       got.says, std::move(unmet), got.not_asked}});
                          }(*this, q));
                        },
                        [&](ask_blame& q) {
                          spawn([](shell& self, ask_blame what) -> asio::awaitable<void> {
                            const instant asked = self.of_.seen.now().now.at;
                            error_shares errors = self.of_.rules.errors_of(what.rule, what.condition);
                            for (int turn = 0; turn < 40 && !errors.is_read; ++turn) {
                              asio::steady_timer pause(self.loop_, std::chrono::milliseconds(50));
                              co_await pause.async_wait(asio::use_awaitable);
                              errors = self.of_.rules.errors_of(what.rule, what.condition);
                            }
                            const blame got = co_await self.of_.seen.ask_blame(what.live, what.stable, std::move(errors));
                            self.take(blame_answered{what.rule, what.epoch, what.condition, asked, got});
                          }(*this, std::move(q)));
                        },
                        [&](ask_ready&) {
                          spawn([](shell& self) -> asio::awaitable<void> {
                            known_readiness found = co_await self.of_.seen.look_ready();
                            self.take(ready_looked{std::move(found)});
                          }(*this));
                        },
                        [&](begin_rollback& b) { spawn(roll_back(std::move(b.what))); }, [&](give_leave& g) { of_.acting.leave(g.id); },
                        [&](stop_rollback& s) { of_.acting.stop(s.id, s.why); },
                        [&](deployment::close_journal& c) { spawn(close_journal(std::move(c.id))); },
                        [&](keep& k) {
                          // Said in this step, so that of two the newer wins; how it stands on the disk comes back as an event.
                          const std::string name(name_of(k.what));
                          if (auto text = text_of(k.what, state_, terms_, of_.seen.now()))
                            of_.facts.keep(name, *std::move(text));
                          else
                            of_.facts.forget(name);
                          spawn([](shell& self, std::string fact, std::uint64_t serial) -> asio::awaitable<void> {
                            const fact_keeper::standing now = co_await self.of_.facts.settled(fact);
                            self.take(stored{fact, now ? std::string() : now.error(), serial});
                          }(*this, name, k.serial));
                        },
                        [&](answer_verb& v) {
                          const auto found = waiting_.find(v.id);
                          if (found == waiting_.end()) return;
                          found->second->answer.emplace(v.done, std::move(v.text));
                          found->second->answered.cancel();
                          waiting_.erase(found);
                        },
                        [&](stage_for& s) { spawn(make_room(of_.acting.stage(s.slot))); },
                        [&](look_at_once&) {
                          look_now_ = true;
                          pause_.cancel();
                        }},
             a);
}

asio::awaitable<void> shell::roll_back(attempt what) {
  rollback::shell::listener to;
  to.prepared = [this, id = what.id](std::string refused) { take(prepared{id, std::move(refused)}); };
  to.changed = [this, id = what.id] { take(changed{id}); };
  to.tell = of_.tell;
  // The journal has room for one attempt: the one before is given a moment to be forgotten, else this one is unrecorded.
  if (state_.closing) {
    closed_.expires_after(std::chrono::seconds(2));
    co_await closed_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  std::optional<rollback::ending> how;
  try {
    how = co_await of_.acting.carry_out(what, state_.track, std::move(to));
  } catch (const std::exception& error) {
    how.emplace();
    how->how = rollback::outcome::not_undone;
    how->changed = state_.under_way && state_.under_way->is == attempt::phase::changing;
    how->says =
        fmt::format("it broke off by a mistake of ours ({}): look at what nginx's files say, and at what users reach", error.what());
  }
  if (how)
    take(ended{what.id, *how});
  else
    of_.tell({what.why.flips() ? "flip.interrupted" : "rollback.interrupted",
              severity::critical,
              fmt::format("the agent ends in the middle of a {}: the next start proves it, or undoes it", name_of(what.why)),
              {}});
}

asio::awaitable<void> shell::make_room(asio::awaitable<std::expected<void, std::string>> making) {
  const auto made = co_await std::move(making);
  if (made) co_return;
  of_.tell({"rollback.no_room",
            severity::warning,
            fmt::format("{}; until it can, a rollback on a full disk would be unrecorded", made.error()),
            {}});
}

/// What came of an attempt is kept as a fact, and what its files said before beside the state, before the journal forgets it.
asio::awaitable<void> shell::close_journal(std::string id) {
  std::string said;
  while (state_.closing == id) {
    bool kept = true;
    for (const fact f : all_facts) {
      const fact_keeper::standing now = co_await of_.facts.settled(std::string(name_of(f)));
      kept = kept && now.has_value();
    }
    std::expected<void, std::string> forgotten = std::unexpected(said);
    if (kept) forgotten = co_await of_.acting.forget(id);
    if (const std::string what = of_.acting.newly_kept(); !what.empty()) of_.tell({"rollback.kept", severity::info, what, {}});
    if (!forgotten && forgotten.error() != said) {
      said = forgotten.error();
      of_.tell({"rollback.not_kept",
                severity::warning,
                fmt::format("{}; until it can the journal keeps the attempt, and it is tried again every second", said),
                {}});
    }
    if (forgotten) take(journal_closed{id});
    if (forgotten || stopping_) break;
    asio::steady_timer pause(loop_, fact_keeper::again_after);
    co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  closed_.cancel();
}

asio::awaitable<void> shell::watch() {
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  while (!stopping_) {
    const instant began = of_.seen.now().now.at;
    try {
      sighting seen = co_await of_.seen.look(wants_fresh_look(state_.track) || drill_);
      if (stopping_) break;
      take(looked{seen});
      if (drill_) drill_->see(seen);
      of_.on_look(seen, state_);
    } catch (const std::exception& error) {  // a mistake of ours must not leave the deployment unwatched
      of_.tell({"agent.task_failed", severity::critical, fmt::format("a look at the deployment failed: {}", error.what()), {}});
    }
    if (std::exchange(look_now_, false)) continue;
    const duration every = is_changing(state_.track) || drill_ ? std::min(hurried_look, terms_.watch_every) : terms_.watch_every;
    pause_.expires_at(began + every);
    boost::system::error_code woken;
    co_await pause_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  }
  co_await tasks_.join();
  if (agent_ends_) answer_all_who_wait();
}

/// Last of all: what is under way may have come to its end meanwhile, and has answered then.
void shell::answer_all_who_wait() {
  const intent names = of_.seen.names();
  for (const auto& [id, who] : std::exchange(waiting_, {})) {
    who->answer = {false, unanswered(state_, terms_, names, id)};
    who->answered.cancel();
  }
}

void shell::stop(bool agent_ends) {
  stopping_ = true;
  agent_ends_ = agent_ends;
  if (agent_ends)
    of_.acting.hurry();
  else
    take(pausing{"the configuration is read again"});
  if (drill_) drill_->end();
  pause_.cancel();
}

asio::awaitable<std::pair<bool, std::string>> shell::ask(verb what) {
  if (stopping_)
    co_return std::pair{false, std::string(agent_ends_ ? "the agent is being stopped: nothing was done"
                                                       : "the agent is taking on a new configuration: nothing was done; ask again")};
  what.id = ++state_.verbs;
  const auto who = std::make_shared<waiting>(loop_);
  waiting_[what.id] = who;
  take(std::move(what));
  // After the wait this shell may be gone: a reload hands on those who wait.
  if (!who->answer) co_await who->answered.async_wait(asio::as_tuple(asio::use_awaitable));
  co_return who->answer.value_or(std::pair{false, std::string("the agent is being stopped; `flipback status` tells what is so")});
}

asio::awaitable<std::expected<drilled, std::string>> shell::rehearse(std::string by) {
  if (stopping_) co_return std::unexpected("the agent is being stopped, or takes on a new configuration: nothing was done; ask again");
  if (drill_) co_return std::unexpected("a drill is under way");
  if (state_.under_way)
    co_return std::unexpected(
        fmt::format("a {} to {} is under way", name_of(state_.under_way->why), terms_.slots[state_.under_way->to.slot]));
  struct waiting_for_it {
    asio::steady_timer over;
    std::optional<drilled> made;
  };
  drill_ = std::make_shared<drill>(loop_, of_.seen, of_.rules, terms_, state_);
  const auto who = std::make_shared<waiting_for_it>(asio::steady_timer(loop_, asio::steady_timer::time_point::max()));
  spawn([](shell& self, std::string by_whom, std::shared_ptr<waiting_for_it> asked) -> asio::awaitable<void> {
    const auto running = self.drill_;
    try {
      asked->made = co_await running->run(present{self.of_.seen.now().now, self.of_.seen.names(), {}, {}, {}});
      event e{"deployment.drilled", severity::info, fmt::format("{} rehearsed: {}", by_whom, asked->made->says), {}};
      self.of_.tell(e.with("by", by_whom));
    } catch (const std::exception& error) {
      self.of_.tell({"agent.task_failed", severity::critical, fmt::format("a drill failed: {}", error.what()), {}});
    }
    self.drill_.reset();
    asked->over.cancel();
  }(*this, std::move(by), who));
  pause_.cancel();  // the next look is due now
  // After the wait this shell may be gone.
  if (!who->made) co_await who->over.async_wait(asio::as_tuple(asio::use_awaitable));
  if (!who->made) co_return std::unexpected("it broke off; `flipback log` says why");
  co_return *std::move(who->made);
}

void shell::hold_for(const std::string& rule, const std::string& why, duration length) {
  verb v;
  v.is = verb::kind::hold;
  v.by = fmt::format("the rule {}", rule);
  v.reason = why;
  v.length = length;
  take(std::move(v));
}

standing shell::stands() const {
  standing made = deployment::stands(state_, terms_, of_.seen.now().now, of_.seen.names());
  made.kept = of_.acting.kept();
  return made;
}

}  // namespace flipback::deployment
