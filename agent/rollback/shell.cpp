#include "agent/rollback/shell.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace flipback::rollback {

namespace {

constexpr duration patience = std::chrono::seconds(5);  // of an agent that is told to end
constexpr std::size_t longest_reason = 16 * 1024;       ///< bytes, of all that a rule and a person say

instant now() {
  return std::chrono::steady_clock::now();
}

answer of(std::optional<bool> known) {
  if (!known) return answer::cant_tell;
  return *known ? answer::yes : answer::no;
}

/// How it ended, where the journal says that it did.
std::optional<ended_before> ended_in(const std::vector<row>& rows) {
  if (rows.back().is != row::kind::ended) return std::nullopt;
  const auto changes = [](const row& r) { return r.is == row::kind::reloading || (r.is == row::kind::put && r.answer != answer::no); };
  return ended_before{rows.back().answer == answer::yes, rows.back().answer != answer::no && std::ranges::any_of(rows, changes)};
}

claim claim_of(const deployment::placed& slot, const deployment::placed& other, const deployment::tracking& known, const shell::terms& by) {
  claim made;
  made.slot = slot.slot;
  made.other = other.slot;
  made.name = by.slots[slot.slot];
  made.other_name = by.slots[other.slot];
  made.identity = known.slots[slot.slot].identity;
  made.other_identity = known.slots[other.slot].identity;
  made.witnesses = by.prove;
  made.within = by.prove_within;
  made.failed_before = known.door_failed && now() - *known.door_failed < std::chrono::minutes(1);
  return made;
}

}  // namespace

/// An attempt under way.
struct shell::carrying {
  plan of;
  machine_state machine;
  listener to;
  std::optional<workers> before;  ///< nginx's workers when it was marked
  std::optional<ending> over;
};

shell::shell(asio::io_context& loop, terms by, outside of)
    : loop_(loop), terms_(std::move(by)), of_(of), leave_timer_(loop), patience_(loop), late_(loop, [](const std::string&) {}) {}

void shell::leave(const std::string& id) {
  if (id != running_ || given_) return;
  given_ = rollback::leave{now(), of_.by.names()};
  leave_timer_.cancel();
}

void shell::stop(const std::string& id, const std::string& why) {
  if (id != running_ || given_) return;
  given_ = rollback::stop{why};
  leave_timer_.cancel();
}

void shell::hurry() {
  hurrying_ = true;
  if (!running_.empty()) end_soon();
}

void shell::end_soon() {
  if (!given_) given_ = rollback::stop{"the agent is ending"};
  leave_timer_.cancel();
  patience_.expires_after(patience);
  patience_.async_wait([this](const boost::system::error_code& error) {
    if (!error) out_of_patience_.emit(asio::cancellation_type::terminal);
  });
}

template <typename T>
asio::awaitable<std::optional<T>> shell::with_patience(asio::awaitable<T> what) {
  auto [thrown, got] = co_await asio::co_spawn(loop_, std::move(what),
                                               asio::bind_cancellation_slot(out_of_patience_.slot(), asio::as_tuple(asio::use_awaitable)));
  if (hurrying_ && patience_.expiry() <= now()) co_return std::nullopt;
  if (thrown) std::rethrow_exception(thrown);
  co_return std::move(got);
}

asio::awaitable<happening> shell::wait_for_leave() {
  while (!given_) {
    leave_timer_.expires_at(asio::steady_timer::time_point::max());
    co_await leave_timer_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  co_return *std::exchange(given_, std::nullopt);
}

std::expected<plan, std::string> shell::plan_of(const deployment::attempt& what, const deployment::tracking& known) {
  plan made;
  made.reloads = of_.by.needs_reload();
  made.forward = claim_of(what.to, what.from, known, terms_);
  made.back = claim_of(what.from, what.to, known, terms_);
  // What the front door says before the switch already does not change with it: a cache may say so.
  if (made.forward.identity == known.door_identity) made.forward.identity.clear();
  // A sick slot tells nothing: what it told when it was live may be what the other one tells.
  if (made.forward.other_identity.empty()) made.forward.other_identity = what.from.release;
  made.forward.new_workers_needed = made.reloads;
  made.back.new_workers_needed = made.reloads;
  made.forward.may_fail = what.why.flips() && what.why.force;  // it is known to be sick, and wanted all the same
  made.back.may_fail = true;
  if (what.recovery) {
    made.of = *found_;
    return made;
  }
  auto changes = of_.by.changes_to(what.to.slot);
  if (!changes) return std::unexpected(std::move(changes.error()));
  made.of.id = what.id;
  made.of.from = {terms_.slots[what.from.slot], what.from.release};
  made.of.to = {terms_.slots[what.to.slot], what.to.release};
  made.of.rule = what.why.rule;
  made.of.why = what.why.reason;
  made.of.by = what.why.by;
  made.of.begun = what.begun.wall;
  made.of.changes = *std::move(changes);
  made.of.flip = what.why.flips();
  return made;
}

asio::awaitable<std::optional<ending>> shell::carry_out(deployment::attempt what, const deployment::tracking& known, listener to) {
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  auto planned = plan_of(what, known);
  if (!planned) {
    ending none;
    none.says = planned.error();
    co_return none;
  }
  carrying c{*std::move(planned), {}, std::move(to), {}, {}};
  running_ = what.id;
  given_.reset();
  if (hurrying_) end_soon();
  happening next = start{now()};
  if (what.recovery) {
    struct cut_off found = co_await look_at_what_was_cut_off(c.of);
    next = start_over{now(), std::move(found)};
  }
  while (!c.over) {
    machine_stepped done = step(std::move(c.machine), c.of, next);
    c.machine = std::move(done.after);
    std::optional<happening> answered;
    for (action& a : done.actions) {
      if (hurrying_ && std::holds_alternative<look_for_proof>(a)) continue;
      if (auto got = co_await perform(c, std::move(a))) answered = std::move(got);
    }
    if (!answered) break;
    next = *std::move(answered);
  }
  co_await late_.join();
  if (c.over) of_.by.sweep();  // what an undo would have needed
  running_.clear();
  patience_.cancel();
  co_return c.over;
}

asio::awaitable<void> shell::write_late(row what) {
  co_await of_.written.write(std::move(what));
}

asio::awaitable<std::optional<happening>> shell::perform(carrying& c, action a) {
  if (auto* w = std::get_if<write_row>(&a)) {
    if (!w->awaited) {
      late_.spawn(write_late(std::move(w->what)));
      co_return std::nullopt;
    }
    const auto kept = co_await of_.written.write(std::move(w->what));
    co_return written{kept ? std::string() : kept.error()};
  }
  if (std::holds_alternative<run_test>(a)) {
    const instant began = now();
    const auto got = co_await with_patience(of_.operated.test());
    if (!got) co_return std::nullopt;
    co_return tested{got->is, got->says, now() - began, of_.by.names()};
  }
  if (const auto* l = std::get_if<ask_leave>(&a)) {
    c.to.prepared(l->refused);
    co_return co_await wait_for_leave();
  }
  if (const auto* p = std::get_if<put_change>(&a)) {
    const auto how = co_await with_patience(of_.by.put(c.of.of.changes[p->change], p->to));
    if (!how) co_return std::nullopt;
    co_return put_done{*how, of_.by.names()};
  }
  if (std::holds_alternative<mark_nginx>(a)) {
    co_await of_.operated.refresh();
    c.before = of_.operated.see_workers();
    of_.operated.mark_errors();
    co_return std::nullopt;
  }
  if (std::holds_alternative<reload_nginx>(a)) {
    const auto got = co_await with_patience(of_.operated.reload());
    if (!got) co_return std::nullopt;
    co_return reloaded{got->is, got->says, now()};
  }
  if (const auto* l = std::get_if<look_for_proof>(&a)) {
    const look_for_proof how = *l;
    co_return proof_looked{co_await look(c, how)};
  }
  if (std::holds_alternative<tell_changed>(a)) {
    of_.written.keep(c.of.of);
    c.to.changed();
  }
  if (auto* s = std::get_if<tell_step>(&a)) c.to.tell(std::move(s->what));
  if (auto* f = std::get_if<finish>(&a)) c.over = std::move(f->how);
  co_return std::nullopt;
}

asio::awaitable<proof_look> shell::look(carrying& c, look_for_proof how) {
  if (how.in > duration{}) {
    asio::steady_timer pause(loop_, how.in);
    co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  proof_look seen;
  std::optional<prober::asked> asked;
  if (how.ask) asked = co_await of_.proofs.ask();
  if (asked && asked->door.is == deployment::reply::kind::failing && !asked->logged)
    seen.direct = co_await of_.proofs.ask_slot(how.expected);
  co_await of_.operated.refresh();
  const auto workers_now = of_.operated.see_workers();
  const auto is_old = [&](pid_t pid) { return c.before->accepting.contains(pid); };
  if (c.before && workers_now && !c.before->accepting.empty()) {
    seen.new_workers = of(std::ranges::any_of(workers_now->accepting, [&](pid_t pid) { return !is_old(pid); }));
    seen.old_gone = of(std::ranges::none_of(workers_now->accepting, is_old));
  }
  seen.emerg = c.machine.reload_asked ? of_.operated.emerg_since_mark() : std::string();
  if (asked) {
    seen.door = asked->door;
    seen.users = asked->users;
    seen.by_cache = asked->by_cache;
    if (asked->logged && !asked->by_cache) {
      own_line line;
      line.slot = asked->slot;
      line.upstream_status = asked->upstream_status;
      // A worker that is none of this nginx's tells nothing: the log may be another one's.
      const bool ours = asked->worker && workers_now &&
                        (workers_now->accepting.contains(*asked->worker) || workers_now->leaving.contains(*asked->worker));
      if (ours && c.before) line.by_new_worker = of(!is_old(*asked->worker) && !c.before->leaving.contains(*asked->worker));
      seen.line = line;
    }
  }
  seen.names = of_.by.names();
  seen.at = now();
  co_return seen;
}

asio::awaitable<struct cut_off> shell::look_at_what_was_cut_off(plan& of) {
  struct cut_off found;
  found.rows = rows_found_;
  found.undo_begun = undo_was_begun_;
  found.ended = ended_before_;
  deployment::slot_reply stable;
  deployment::slot_reply other;
  task_group asked(loop_, [](const std::string&) {});
  const auto ask = [](prober& proofs, slot_number which, deployment::slot_reply& into) -> asio::awaitable<void> {
    into = co_await proofs.ask_slot(which);
  };
  asked.spawn(ask(of_.proofs, of.forward.slot, stable));
  asked.spawn(ask(of_.proofs, of.forward.other, other));
  co_await asked.join();
  for (const change& c : of.of.changes) found.changes.push_back(co_await of_.by.state_of(c));
  found.names = of_.by.names();  // after them: a command that still ran has had its time
  // This life has seen nothing yet: by what the front door's answers are known, the slots themselves have just said.
  of.forward.identity = of.back.other_identity = stable.self.identity;
  of.forward.other_identity = of.back.identity = other.self.identity;
  found.stable_is_well = stable.well;
  const bool told = stable.self.is == deployment::reply::kind::identified;
  found.stable_has_release = !told || of.of.to.release.empty() || stable.self.release == of.of.to.release;
  found.stable_says = found.stable_has_release ? stable.says : fmt::format("it has {}", stable.self.release);
  co_return found;
}

asio::awaitable<std::expected<void, std::string>> shell::stage(std::optional<slot_number> to) {
  if (!to) {
    of_.by.unstage();
    return make_room(0);
  }
  of_.by.stage(*to);
  auto changes = of_.by.changes_to(*to);
  if (!changes) return make_room(0);  // that is said where it is looked whether all is ready
  attempt likely;
  likely.why.assign(longest_reason, ' ');
  likely.changes = *std::move(changes);
  return make_room(room_for(likely));
}

asio::awaitable<std::expected<void, std::string>> shell::make_room(std::size_t bytes) {
  std::expected<void, std::string> made;
  if (bytes > 0) made = co_await of_.written.reserve(bytes);
  co_return made;
}

asio::awaitable<std::expected<void, std::string>> shell::forget(std::string id) {
  if (!running_.empty() && running_ != id) co_return std::expected<void, std::string>();  // it goes with the one that is under way
  co_return co_await of_.written.forget();
}

std::expected<std::optional<deployment::attempt>, std::string> shell::cut_off(const std::vector<std::string>& slots) {
  const auto rows = of_.written.read();
  if (!rows) return std::unexpected(rows.error());
  if (rows->empty()) return std::nullopt;
  const attempt& was = rows->front().of;
  const auto number = [&](const std::string& name) { return static_cast<slot_number>(std::ranges::find(slots, name) - slots.begin()); };
  deployment::attempt made;
  made.id = was.id;
  if (was.flip) made.why.is = deployment::cause::kind::flip;
  made.why.rule = was.rule;
  made.why.reason = was.why;
  made.why.by = was.by;
  const auto ago = std::max(std::chrono::system_clock::now() - was.begun, wall_time::duration{});
  made.begun = {now() - ago, was.begun};
  made.from = {number(was.from.name), was.from.release};
  made.to = {number(was.to.name), was.to.release};
  made.recovery = true;
  if (made.from.slot >= slots.size() || made.to.slot >= slots.size())
    return std::unexpected(fmt::format("the journal has a {} from {} to {}, which are no slots of this configuration", name_of(made.why),
                                       was.from.name, was.to.name));
  undo_was_begun_ = std::ranges::any_of(*rows, [](const row& r) { return r.is == row::kind::undoing; });
  ended_before_ = ended_in(*rows);
  rows_found_ = rows->size();
  found_ = was;
  return made;
}

}  // namespace flipback::rollback
