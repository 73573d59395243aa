#include "agent/rollback/machine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace flipback::rollback {

namespace {

using phase = machine_state::phase;

constexpr duration between_looks = std::chrono::milliseconds(3);
constexpr duration between_questions = std::chrono::milliseconds(10);
constexpr int limit_in_tests = 3;  ///< the proof may take as long as that many tests of nginx

std::string_view word(answer a) {
  constexpr std::array<std::string_view, 3> words{"no", "ok", "can't tell"};
  return words.at(static_cast<std::size_t>(a));
}

/// One step while it is being taken.
class stepping {
 public:
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
  void undo(std::string why);
  void after_undo_of_files();
  void end_again(const cut_off& found, bool all_before);
  void over(outcome how, std::string says, std::optional<slot_number> reached);
  [[nodiscard]] std::string with_trouble(std::string says) const;
  [[nodiscard]] std::size_t changes() const { return plan_.of.changes.size(); }
  [[nodiscard]] bool is_there(std::size_t i) const { return s.put[i] && !(i < s.untold.size() && s.untold[i]); }
  [[nodiscard]] bool any_put() const { return std::ranges::find(s.put, true) != s.put.end(); }

  const plan& plan_;
};

void stepping::say(std::string_view step, std::string_view result, const std::string& says, bool bad) {
  event e{"rollback.step",
          bad ? severity::critical : severity::info,
          fmt::format("{}: {}{}{}", step, result, says.empty() ? "" : ", ", says),
          {}};
  e.with("step", std::string(step)).with("result", std::string(result));
  act(tell_step{std::move(e)});
}

void stepping::write(row::kind kind, answer is, std::string says, bool awaited) {
  row r;
  r.number = s.rows++;
  r.is = kind;
  if (kind == row::kind::begun) r.of = plan_.of;
  r.change = s.next;
  r.to = kind == row::kind::undoing ? end::before : end::after;
  r.answer = is;
  r.says = std::move(says);
  act(write_row{std::move(r), awaited});
}

void stepping::on(const start& e) {
  s.now = e.at;
  s.put.assign(changes(), false);
  s.is = phase::journaling;
  write(row::kind::begun, answer::cant_tell, {}, true);
}

void stepping::on(const written& e) {
  if (!e.trouble.empty() && !std::exchange(s.unrecorded, true))
    say("journal", "no", fmt::format("what happens now is unrecorded, and a crash would forget it: {}", e.trouble), true);
  if (s.is == phase::journaling) {
    if (plan_.reloads) return ask_test(phase::preflight);
    s.is = phase::waiting;
    act(ask_leave{});
  } else if (s.is == phase::undo_journaling) {
    s.is = phase::undoing;
    s.next = changes();
    put_back_next();
  }
}

void stepping::ask_test(phase in) {
  s.is = in;
  act(run_test{});
}

void stepping::on(const leave& e) {
  if (s.is != phase::waiting) return;
  s.now = e.at;
  s.leave_at = e.at;
  s.next = 0;
  s.is = phase::putting;
  put_next();
}

void stepping::on(const stop& e) {
  if (s.is == phase::over || s.changed || s.is == phase::putting) return;
  over(outcome::nothing_changed, e.why, std::nullopt);
}

void stepping::put_next() {
  while (s.next < changes() && is_there(s.next)) ++s.next;  // after a crash some are there already
  if (s.next < changes()) {
    act(put_change{s.next, end::after});
    return;
  }
  say("install", "ok", {});
  if (!plan_.reloads) return begin_proof(phase::proving, plan_.forward);
  ask_test(phase::testing);
}

void stepping::on(const put_done& e) {
  using kind = put_result::kind;
  const bool landed = e.how.is == kind::done || e.how.is == kind::cant_tell;
  if (s.is == phase::putting) {
    if (landed && !std::exchange(s.changed, true)) act(tell_changed{});
    if (landed) {
      s.put[s.next] = true;
      if (s.next < s.untold.size()) s.untold[s.next] = false;
    }
    write(row::kind::put, e.how.is == kind::done ? answer::yes : landed ? answer::cant_tell : answer::no, e.how.says);
    if (e.how.is == kind::cant_tell) s.trouble = e.how.says;
    if (landed) {
      ++s.next;
      return put_next();
    }
    say("install", "no", e.how.says, true);
    if (e.how.is == kind::foreign) s.foreign = true;
    if (any_put()) return undo(e.how.says);
    return over(s.foreign ? outcome::operator_took_over : outcome::nothing_changed, e.how.says, std::nullopt);
  }
  if (s.is == phase::following_users || s.is == phase::unmixing) {
    if (landed) s.put[s.next] = true;
    if (e.how.is == kind::foreign) s.foreign = true;
    if (!landed) s.trouble = e.how.says;
    ++s.next;
    return follow_next();
  }
  if (s.is != phase::undoing) return;
  if (landed) {
    s.put[s.next] = false;
    s.put_back = true;
  } else if (e.how.is == kind::foreign) {
    s.foreign = true;
    s.put[s.next] = false;  // it is no longer ours
  }
  if (e.how.is != kind::done) s.trouble = e.how.says;
  put_back_next();
}

void stepping::on(const tested& e) {
  s.test_took = std::max(s.test_took, e.took);
  if (s.is == phase::preflight) {
    s.good_before = e.is;
    say("preflight", word(e.is), e.says);
    s.is = phase::waiting;
    act(ask_leave{});
    return;
  }
  if (s.is == phase::undo_testing) {
    if (e.is != answer::no) return ask_reload(phase::undo_reloading);
    // nginx takes neither: then the files come to say what users reach.
    s.trouble = fmt::format("nginx refuses its configuration: {}", e.says);
    if (s.guessed) {  // it is not the candidate that nginx refuses, and never is a failed slot put back on a guess
      s.is = phase::following_users;
      s.next = 0;
      return follow_next();
    }
    return look_who_is_reached(plan_.back);
  }
  if (s.is != phase::testing) return;
  const std::string before = s.good_before == answer::no ? " (as it did before the rollback)" : "";
  say("test", word(e.is), e.is == answer::yes ? "" : e.says + before, e.is == answer::no);
  write(row::kind::tested, e.is, e.says);
  if (e.is != answer::no) return ask_reload(phase::reloading);
  if (s.recovery) {
    // Whether nginx read the files before the crash is not known: what users reach decides.
    s.why_undone = fmt::format("nginx refuses its configuration: {}", e.says);
    return look_who_is_reached(plan_.forward);
  }
  undo(e.says + before);
}

void stepping::ask_reload(phase in) {
  s.is = in;
  s.reload_asked = true;
  if (!std::exchange(s.changed, true)) act(tell_changed{});  // the switch named the slot already: the reload is the first change
  write(row::kind::reloading, answer::cant_tell, {});
  act(mark_nginx{});
  act(reload_nginx{});
}

void stepping::on(const reloaded& e) {
  s.now = e.at;
  if (s.is != phase::reloading && s.is != phase::undo_reloading) return;
  const bool forward = s.is == phase::reloading;
  say(forward ? "reload" : "undo's reload", word(e.is), e.says);
  write(row::kind::reloaded, e.is, e.says);
  begin_proof(forward ? phase::proving : phase::undo_proving, forward ? plan_.forward : plan_.back);
}

void stepping::begin_proof(phase in, claim what) {
  s.is = in;
  what.within = std::max<duration>(what.within, limit_in_tests * s.test_took);
  const slot_number expected = what.slot;
  const bool ask = !what.new_workers_needed;
  s.gathering.emplace(std::move(what), s.now);
  s.first_look = true;
  act(look_for_proof{ask, {}, expected});
}

void stepping::on(const proof_looked& e) {
  if (!s.gathering) return;
  s.now = e.seen.at;
  if (std::exchange(s.first_look, false)) s.gathering.emplace(claim(s.gathering->of()), s.now);
  s.names = e.seen.names;
  s.gathering->add(e.seen);
  if (s.gathering->is() == proof::standing::open && e.seen.at >= s.gathering->limit()) s.gathering->end();
  if (s.gathering->is() != proof::standing::open) return judge_proof();
  const bool asked_and_not_yet = e.seen.door && !s.gathering->reached();
  act(look_for_proof{s.gathering->ask_next(), asked_and_not_yet ? between_questions : between_looks, s.gathering->of().slot});
}

/// What nginx has said of a reload before, or will not say of one that is not asked for, tells nothing of whom users reach.
void stepping::look_who_is_reached(claim first) {
  first.new_workers_needed = false;
  act(mark_nginx{});
  begin_proof(phase::looking_who_is_reached, std::move(first));
}

void stepping::judge_proof() {
  const proof found = *std::exchange(s.gathering, std::nullopt);
  using standing = proof::standing;
  const bool yes = found.is() == standing::yes;
  const bool no = found.is() == standing::no;
  const std::string_view result = yes ? "yes" : no ? "no" : "can't tell";
  write(row::kind::looked, yes ? answer::yes : no ? answer::no : answer::cant_tell, found.says());
  switch (s.is) {
    case phase::proving:
      say("prove", result, found.says(), no);
      if (no) return undo(found.says());
      return over(yes ? outcome::rolled_back : outcome::unproven, with_trouble(found.says()),
                  yes ? std::optional(plan_.forward.slot) : found.reached());
    case phase::undo_proving: {
      say("undo", yes ? "ok" : result, found.says(), !yes);
      // Without a proof it is not said what users reach, though some answers came from there: old workers may accept for a while.
      const auto reached = yes ? std::optional(plan_.back.slot) : no ? found.reached() : std::nullopt;
      if (s.foreign) return over(outcome::operator_took_over, with_trouble(s.why_undone), reached);
      if (any_put() || no)
        return over(outcome::not_undone, with_trouble(fmt::format("{}; and it could not be undone: {}", s.why_undone, found.says())),
                    reached);
      return over(outcome::undone, with_trouble(s.why_undone), reached);
    }
    case phase::looking_who_is_reached: {
      const auto reached = found.reached();
      if (s.why_undone.empty()) s.why_undone = s.trouble;
      if (s.foreign) return over(outcome::operator_took_over, with_trouble(s.why_undone), reached);
      const bool on_stable = reached == plan_.forward.slot;
      const bool on_failed = reached == plan_.back.slot;
      if (!on_stable && !on_failed) {
        if (any_put() && !std::exchange(s.guessed, true)) return undo(s.why_undone);
        const bool after = any_put();
        return over(after ? outcome::unproven : outcome::undone, with_trouble(s.why_undone), std::nullopt);
      }
      if (on_stable && std::ranges::all_of(s.put, [](bool b) { return b; }))
        return over(outcome::unproven, fmt::format("users reach it, and the files say so; but {}", s.why_undone), reached);
      if (on_failed && any_put()) return undo(s.why_undone);
      if (on_failed) return over(outcome::undone, with_trouble(s.why_undone), reached);
      s.is = phase::following_users;
      s.next = 0;
      return follow_next();
    }
    default:
      return;
  }
}

/// The files come to say the stable slot all of them, though nothing is reloaded: it is where users are, or they can't all say the other.
void stepping::follow_next() {
  while (s.next < changes() && is_there(s.next)) ++s.next;
  if (s.next < changes()) {
    act(put_change{s.next, end::after});
    return;
  }
  if (s.is == phase::unmixing)
    return over(outcome::not_undone, fmt::format("{}; and the switch could not be put back: {}", s.why_undone, s.trouble), std::nullopt);
  if (s.foreign) return over(outcome::operator_took_over, with_trouble(s.why_undone), plan_.forward.slot);
  if (s.guessed && std::ranges::all_of(s.put, [](bool b) { return b; })) return over(outcome::unproven, s.why_undone, std::nullopt);
  if (!std::ranges::all_of(s.put, [](bool b) { return b; }))
    return over(outcome::not_undone,
                fmt::format("users reach {}, and the switch could not be put to it: {}", plan_.of.to.name, with_trouble(s.why_undone)),
                plan_.forward.slot);
  over(outcome::unproven, fmt::format("users reach it, and the files say so again; but {}", with_trouble(s.why_undone)),
       plan_.forward.slot);
}

void stepping::undo(std::string why) {
  s.why_undone = std::move(why);
  s.is = phase::undo_journaling;
  write(row::kind::undoing, answer::cant_tell, s.why_undone, true);
}

void stepping::put_back_next() {
  while (s.next > 0 && !s.put[s.next - 1]) --s.next;
  if (s.next > 0) {
    --s.next;
    act(put_change{s.next, end::before});
    return;
  }
  after_undo_of_files();
}

void stepping::after_undo_of_files() {
  if (any_put() && !s.foreign) {
    say("undo", "no", s.trouble, true);
    s.is = phase::unmixing;
    s.next = 0;
    return follow_next();
  }
  if (plan_.reloads && (s.reload_asked || s.recovery) && (s.put_back || !s.foreign)) return ask_test(phase::undo_testing);
  claim what = plan_.back;
  what.new_workers_needed = false;
  if (plan_.reloads) what.identity.clear();  // it counts where it changed with the switch, and nginx has read nothing of this
  begin_proof(phase::undo_proving, what);
}

std::string stepping::with_trouble(std::string says) const {
  if (s.trouble.empty() || says == s.trouble) return says;
  return fmt::format("{}; {}", says, s.trouble);
}

void stepping::over(outcome how, std::string says, std::optional<slot_number> reached) {
  s.is = phase::over;
  using deployment::intent;
  const bool named_otherwise =
      s.names.is == intent::kind::neither || (s.names.is == intent::kind::names && s.names.slot != plan_.forward.slot);
  if (how == outcome::unproven && named_otherwise) {
    how = outcome::operator_took_over;
    says = fmt::format("somebody has changed the switch meanwhile; {}", says);
    reached.reset();
  }
  ending e;
  e.how = how;
  e.says = s.unrecorded ? fmt::format("{} (unrecorded)", says) : std::move(says);
  e.changed = s.changed;
  e.reached = reached;
  e.took = s.now > s.leave_at && s.leave_at != instant{} ? s.now - s.leave_at : duration{};
  write(row::kind::ended, how == outcome::rolled_back ? answer::yes : answer::cant_tell, e.says);
  act(finish{std::move(e)});
}

/// It is over already, and only what came of it was not kept: that is said again, and whatever stands there now stays.
void stepping::end_again(const cut_off& found, bool all_before) {
  const bool all_after = std::ranges::all_of(s.put, [](bool b) { return b; }) && !s.foreign && found.names == plan_.forward.slot;
  s.changed = found.ended->changed;
  s.names = {};
  if (!s.changed) return over(outcome::nothing_changed, "it had ended before its first change", std::nullopt);
  act(tell_changed{});
  if (all_after && !found.undo_begun)
    return over(outcome::unproven, found.ended->proven ? "it was proven before the agent ended" : "it had ended before the agent did",
                std::nullopt);
  if (all_before && found.undo_begun) return over(outcome::undone, "it had ended before the agent did", std::nullopt);
  over(outcome::operator_took_over, "it had ended before the agent did, and somebody has changed the switch since", std::nullopt);
}

/// What an earlier life began: the files decide what is done with it.
void stepping::on(const start_over& e) {
  using kind = change_state::kind;
  s.now = e.at;
  s.leave_at = e.at;
  s.recovery = true;
  s.rows = e.found.rows;
  s.put.assign(changes(), false);
  bool all_before = true;
  for (std::size_t i = 0; i < changes() && i < e.found.changes.size(); ++i) {
    const change_state& c = e.found.changes[i];
    s.put[i] = c.is == kind::after || c.is == kind::cant_tell;
    all_before = all_before && c.is == kind::before;
    s.untold.push_back(c.is == kind::cant_tell);
    if (c.is == kind::foreign) s.foreign = true;
    if (c.is == kind::foreign || c.is == kind::cant_tell) s.trouble = c.says;
  }
  if (e.found.ended) return end_again(e.found, all_before);
  if (all_before && !e.found.undo_begun && changes() > 0) {
    return over(outcome::nothing_changed, "it was cut off before its first change", std::nullopt);
  }
  s.changed = true;
  act(tell_changed{});
  // Whoever has made the switch name a slot since then has decided: there is nothing to complete or to undo.
  if (s.foreign && e.found.names) return over(outcome::operator_took_over, s.trouble, std::nullopt);
  if (s.foreign && !e.found.undo_begun && !any_put()) return over(outcome::operator_took_over, s.trouble, std::nullopt);
  if (e.found.undo_begun || s.foreign) {
    s.next = changes();
    return undo(e.found.undo_begun ? "it was cut off while it was being undone" : s.trouble);
  }
  if (!e.found.stable_is_well || !e.found.stable_has_release)
    return undo(fmt::format("it was cut off, and the stable slot is not what it was: {}", e.found.stable_says));
  s.next = 0;
  s.is = phase::putting;
  put_next();
}

}  // namespace

machine_stepped step(machine_state before, const plan& of, const happening& what) {
  stepping now(std::move(before), of);
  if (now.s.is != phase::over) std::visit([&](const auto& e) { now.on(e); }, what);
  return {std::move(now.s), std::move(now.actions)};
}

}  // namespace flipback::rollback
