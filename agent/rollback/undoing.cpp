// The part of the machine that follows a proof, undoes, and takes up what a crash cut off.

#include "agent/rollback/stepping.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace flipback::rollback {

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
    case phase::looking_whether_they_stayed:
      return judge_in_vain(found);
    case phase::proving:
      if (s.in_vain) return judge_in_vain(found);
      say("prove", result, found.says(), no);
      s.unread = !s.recovery && found.saw_no_new_workers();  // an earlier life may have asked for a reload that was carried out
      if (no) return undo(found.says());
      return over(yes ? outcome::rolled_back : outcome::unproven, with_trouble(found.says()),
                  yes ? std::optional(plan_.forward.slot) : found.reached());
    case phase::confirming:
      say("prove", result, found.says(), !yes);
      return over(yes ? outcome::rolled_back : outcome::unproven, yes ? found.says() : "it was proven before the agent ended",
                  yes ? std::optional(plan_.forward.slot) : found.reached());
    case phase::undo_proving: {
      say("undo", yes ? "ok" : result, found.says(), !yes);
      // Without a proof it is not said what users reach, though some answers came from there: old workers may accept for a while.
      const auto reached = yes ? std::optional(plan_.back.slot) : no ? found.reached() : std::nullopt;
      if (s.foreign) return over(outcome::operator_took_over, with_trouble(s.why_undone), reached);
      if (any_put() || no)
        return over(outcome::not_undone, with_trouble(fmt::format("{}; and it could not be undone: {}", s.why_undone, found.says())),
                    reached);
      if (!yes && by_command()) return begin_proof(phase::looking_whether_they_came, plan_.forward);
      return over(outcome::undone, with_trouble(s.why_undone), reached);
    }
    case phase::looking_whether_they_came:
      if (yes || found.reached() == plan_.forward.slot)
        return over(outcome::not_undone, with_trouble(fmt::format("{}; and it could not be undone: {}", s.why_undone, found.says())),
                    plan_.forward.slot);
      return over(outcome::undone, with_trouble(s.why_undone), std::nullopt);
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
  if (plan_.reloads && !s.unread && (s.reload_asked || s.recovery) && (s.put_back || !s.foreign)) return ask_test(phase::undo_testing);
  claim what = plan_.back;
  what.new_workers_needed = false;
  if (plan_.reloads) what.identity.clear();  // it counts where it changed with the switch, and nginx has read nothing of this
  begin_proof(phase::undo_proving, what);
}

bool stepping::by_command() const {
  return std::ranges::any_of(plan_.of.changes, [](const change& c) { return std::holds_alternative<command_change>(c); });
}

/// A command may have moved users whatever it ended with, and whatever the switch names: who is reached tells, once its doing has had its
/// time.
void stepping::look_what_came(std::string says) {
  s.in_vain = true;
  s.trouble = std::move(says);
  begin_proof(phase::proving, plan_.forward);
}

void stepping::judge_in_vain(const proof& found) {
  const bool yes = found.is() == proof::standing::yes;
  const bool stayed = yes && s.is == phase::looking_whether_they_stayed;
  const bool came = !stayed && (yes || found.reached() == plan_.forward.slot);
  const std::string look = fmt::format("look at what slots.{}.switch does, and at what `active` prints", plan_.of.to.name);
  say("prove", stayed ? "no" : came ? "yes" : "can't tell", found.says());
  const bool turned = s.names.named() == plan_.forward.slot;  // the switch has come to name it since the command's end
  if (stayed && !turned)
    return over(outcome::nothing_changed,
                fmt::format("{}, and users are seen on {}: {}; {}", s.trouble, plan_.of.from.name, found.says(), look), plan_.back.slot);
  if (!came && !turned && s.is == phase::proving) return begin_proof(phase::looking_whether_they_stayed, plan_.back);
  if (!std::exchange(s.changed, true)) act(tell_changed{});
  if (!came && !turned)
    return over(outcome::cant_tell, fmt::format("{}, and {}; {}, and `flipback status` at whom users reach", s.trouble, found.says(), look),
                std::nullopt);
  const bool nothing_speaks_against = turned || s.names.is == deployment::intent::kind::unreadable;
  const outcome how = yes && came && nothing_speaks_against ? outcome::rolled_back : outcome::unproven;
  const auto reached = came ? std::optional(plan_.forward.slot) : found.reached();
  if (turned) return over(how, found.says(), reached);
  if (nothing_speaks_against) return over(how, with_trouble(found.says()), reached);
  over(how, fmt::format("{}; but {}; {}", found.says(), s.trouble, look), reached);
}

/// It is over already, and only what came of it was not kept: that is said again, and whatever stands there now stays.
void stepping::end_again(const cut_off& found, bool all_before) {
  const bool all_after = std::ranges::all_of(s.put, [](bool b) { return b; }) && !s.foreign && found.names.named() == plan_.forward.slot;
  s.changed = found.ended->changed;
  if (!s.changed) return over(outcome::nothing_changed, "it had ended before the agent did", std::nullopt);
  act(tell_changed{});
  if (all_after && !found.undo_begun && found.ended->proven) {  // what was proven then is looked at once more
    claim again = plan_.forward;
    again.new_workers_needed = false;
    return begin_proof(phase::confirming, again);
  }
  if (all_after && !found.undo_begun) return over(outcome::unproven, "it had ended before the agent did", std::nullopt);
  if (all_before && found.undo_begun) return over(outcome::undone, "it had ended before the agent did", std::nullopt);
  // What a command came to is told by nothing that stands there now.
  if (all_before && by_command())
    return over(outcome::cant_tell, fmt::format("it had ended before the agent did, and the switch names {}", plan_.of.from.name),
                std::nullopt);
  over(outcome::operator_took_over, "it had ended before the agent did, and somebody has changed the switch since", std::nullopt);
}

/// What an earlier life began: the files decide what is done with it.
void stepping::on(const start_over& e) {
  using kind = change_state::kind;
  s.now = e.at;
  s.leave_at = e.at;
  s.recovery = true;
  s.names = e.found.names;
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
    if (by_command())
      return look_what_came(
          fmt::format("it was cut off, its command may have run before that, and the switch still names {}", plan_.of.from.name));
    return over(outcome::nothing_changed, "it was cut off before its first change", std::nullopt);
  }
  s.changed = true;
  act(tell_changed{});
  // Whoever has made the switch name a slot since then has decided: there is nothing to complete or to undo.
  if (s.foreign && e.found.names.named()) return over(outcome::operator_took_over, s.trouble, std::nullopt);
  if (s.foreign && !e.found.undo_begun && !any_put()) return over(outcome::operator_took_over, s.trouble, std::nullopt);
  if (e.found.undo_begun || s.foreign) {
    s.next = changes();
    return undo(e.found.undo_begun ? "it was cut off while it was being undone" : s.trouble);
  }
  if (!e.found.stable_is_well || !e.found.stable_has_release)
    return undo(fmt::format("it was cut off, and {} is not what it was: {}", plan_.of.to.name, e.found.stable_says));
  s.next = 0;
  s.is = phase::putting;
  put_next();
}

}  // namespace flipback::rollback
