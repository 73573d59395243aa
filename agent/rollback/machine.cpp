#include "agent/rollback/machine.hpp"

#include "agent/rollback/stepping.hpp"
#include "agent/store/remedy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace flipback::rollback {

namespace {

constexpr duration between_looks = std::chrono::milliseconds(3);
constexpr duration between_questions = std::chrono::milliseconds(10);
constexpr int limit_in_tests = 3;  ///< the proof may take as long as that many tests of nginx

std::string_view word(answer a) {
  constexpr std::array<std::string_view, 3> words{"no", "ok", "can't tell"};
  return words.at(static_cast<std::size_t>(a));
}

}  // namespace

void stepping::say(std::string_view step, std::string_view result, const std::string& says, bool bad) {
  event e{plan_.of.flip ? "flip.step" : "rollback.step",
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
  // Users wait for no flip: what a crash would leave of one that is on no record is not risked.
  if (!e.trouble.empty() && plan_.of.flip && s.is == phase::journaling)
    return over(outcome::nothing_changed,
                fmt::format("it can't be recorded, and a crash would forget it: {}; {}", e.trouble, make_the_state_writable), std::nullopt);
  if (!e.trouble.empty() && !std::exchange(s.unrecorded, true))
    say("journal", "no", fmt::format("what happens now is unrecorded, and a crash would forget it: {}", e.trouble), true);
  if (s.is == phase::journaling) {
    if (plan_.reloads) return ask_test(phase::preflight);
    s.is = phase::waiting;
    act(ask_leave{{}});
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
  s.names = e.names;
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
  // The changes are not all that a switch says: a file that named the slot already may have come to say something else.
  if (const std::string why = turned_by_somebody(); !why.empty()) {
    say("install", "no", why, true);
    return give_way(why);
  }
  say("install", s.trouble.empty() ? "ok" : "can't tell", s.trouble);
  if (!plan_.reloads) return begin_proof(phase::proving, plan_.forward);
  ask_test(phase::testing);
}

void stepping::on(const put_done& e) {
  using kind = put_result::kind;
  const bool landed = e.how.is == kind::done || e.how.is == kind::cant_tell;
  s.names = e.names;
  if (s.is == phase::putting) {
    if (landed && !std::exchange(s.changed, true)) act(tell_changed{});
    if (landed) {
      s.put[s.next] = true;
      if (s.next < s.untold.size()) s.untold[s.next] = false;
    }
    const bool may_have = landed || e.how.is == kind::in_vain;
    write(row::kind::put, e.how.is == kind::done ? answer::yes : may_have ? answer::cant_tell : answer::no, e.how.says);
    if (e.how.is == kind::in_vain) {
      say("install", "can't tell", e.how.says);
      return look_what_came(e.how.says);
    }
    if (e.how.is == kind::cant_tell) s.trouble = e.how.says;
    s.still_runs = s.still_runs || (e.how.is == kind::cant_tell && by_command());
    if (landed) {
      ++s.next;
      return put_next();
    }
    if (e.how.is == kind::foreign) s.foreign = true;
    say("install", "no", e.how.says, any_put() || s.foreign);
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
  // Of a command that was in vain the switch says whether anything is left to put back.
  if (landed || (e.how.is == kind::in_vain && s.names.named() != plan_.forward.slot)) {
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
    act(ask_leave{e.is == answer::no ? e.says : std::string()});
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
  const std::string before =
      (e.is == answer::no ? whose_file(e.says) : std::string()) +
      (s.good_before == answer::no ? fmt::format(" (as it did before the {})", plan_.of.flip ? "flip" : "rollback") : "");
  say("test", word(e.is), e.is == answer::yes ? "" : e.says + before, e.is == answer::no);
  write(row::kind::tested, e.is, e.says);
  s.names = e.names;
  // What somebody has put there during the test is theirs to reload.
  if (const std::string why = turned_by_somebody(); !why.empty()) return give_way(why);
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
  if (forward && e.is != answer::yes) s.trouble = e.says;
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

std::string stepping::named_otherwise() const {
  using deployment::intent;
  if (s.names.is == intent::kind::neither) return fmt::format("the switch does not name {}: {}", plan_.of.to.name, s.names.says);
  if (s.names.is == intent::kind::names && s.names.slot != plan_.forward.slot)
    return fmt::format("somebody has changed the switch meanwhile, which no longer names {}", plan_.of.to.name);
  return {};
}

/// nginx names the live file, which will say something else again once it is undone: whose file it was that it refused.
std::string stepping::whose_file(const std::string& refusal) const {
  const std::size_t emerg = refusal.find("[emerg]");
  if (emerg == std::string::npos) return {};
  for (const change& c : plan_.of.changes) {
    const auto* const file = std::get_if<file_change>(&c);
    const std::size_t named = file != nullptr ? refusal.find(file->path + ":", emerg) : std::string::npos;
    if (named != std::string::npos && refusal.find('\n', emerg) > named)
      return fmt::format(" ({} held what is {}'s)", file->path, plan_.of.to.name);
  }
  return {};
}

/// Where we can't tell what we put ourselves, what the switch names tells nothing of others.
std::string stepping::turned_by_somebody() const {
  return s.trouble.empty() ? named_otherwise() : std::string();
}

/// Whoever made the switch name a slot has decided; what names none is a mixture with ours, which is taken back.
void stepping::give_way(const std::string& why) {
  s.foreign = true;
  if (any_put() && !s.names.named()) return undo(why);
  over(outcome::operator_took_over, why, std::nullopt);
}

std::string stepping::with_trouble(std::string says) const {
  if (s.trouble.empty() || says == s.trouble) return says;
  return fmt::format("{}; {}", says, s.trouble);
}

void stepping::over(outcome how, std::string says, std::optional<slot_number> reached) {
  s.is = phase::over;
  // Whatever has been proven: a person has decided otherwise since, and users are on their way there.
  const std::string why = s.still_runs || s.in_vain ? std::string() : named_otherwise();
  if ((how == outcome::unproven || how == outcome::rolled_back) && !why.empty()) {
    how = outcome::operator_took_over;
    says = fmt::format("{}; {}", why, says);
    reached.reset();
  }
  // A cache may have answered for the slot that is left: it is not said against what the switch names.
  if (how == outcome::undone && s.names.named() && s.names.named() != reached) reached.reset();
  ending e;
  e.how = how;
  e.says = s.unrecorded ? fmt::format("{} (unrecorded)", says) : std::move(says);
  e.changed = s.changed;
  e.overwrote = s.changed && std::ranges::any_of(plan_.of.changes, [](const change& c) {
                  const auto* file = std::get_if<file_change>(&c);
                  return file != nullptr && file->before.is != file_image::kind::absent;
                });
  e.reached = reached;
  e.took = s.now > s.leave_at && s.leave_at != instant{} ? s.now - s.leave_at : duration{};
  write(row::kind::ended, how == outcome::rolled_back ? answer::yes : s.changed ? answer::cant_tell : answer::no, e.says);
  act(finish{std::move(e)});
}

machine_stepped step(machine_state before, const plan& of, const happening& what) {
  stepping now(std::move(before), of);
  if (now.s.is != machine_state::phase::over) std::visit([&](const auto& e) { now.on(e); }, what);
  return {std::move(now.s), std::move(now.actions)};
}

}  // namespace flipback::rollback
