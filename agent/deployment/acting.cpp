#include "agent/deployment/acting.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

namespace flipback::deployment {

namespace {

std::string journal_of(const std::string& state_file) {
  return std::filesystem::path(state_file).replace_extension(".journal").string();
}

terms terms_of(const config::configuration& configured) {
  const config::deployment& from = *configured.deployment;
  terms made;
  for (const config::slot& s : configured.slots) made.slots.push_back(s.name);
  const auto number = [&](const std::string& name) -> std::optional<slot_number> {
    const auto at = std::ranges::find(made.slots, name);
    return at == made.slots.end() ? std::nullopt : std::optional(static_cast<slot_number>(at - made.slots.begin()));
  };
  made.mode = from.mode;
  if (from.stable != "previous") made.stable = number(from.stable);
  made.canary = number(from.canary);
  made.effect_is_intent = from.effect_is_intent;
  made.window = from.window;
  made.confirm = from.confirm;
  made.confirm_every = from.confirm_every;
  made.watch_every = from.watch_every;
  made.follow = from.switched_by == config::switch_kind::command
                    ? "look at what the command of `switch` did, and at what `active` prints"
                    : fmt::format("reload nginx (`{}`)", rollback::reload_as_typed(configured.nginx));
  return made;
}

/// A command's own doing goes on after it has ended: its proof has the time for that as well.
duration proof_within(const config::deployment& of) {
  return of.switched_by == config::switch_kind::command ? std::max(of.prove_within, of.settle_within) : of.prove_within;
}

}  // namespace

memory::memory(asio::io_context& loop, const std::string& file)
    : kept(file), facts(loop.get_executor(), kept), journal(journal_of(file), rollback::make_disk()) {}

acting::acting(asio::io_context& loop, const config::configuration& configured, net::network& through, memory& remembered, rule_book& rules,
               std::function<void(event)> tell)
    : memory_(remembered),
      tell_(std::move(tell)),
      terms_(terms_of(configured)),
      switch_(rollback::make_switch(loop.get_executor(), configured)),
      nginx_(rollback::make_nginx(loop.get_executor(), configured.nginx)),
      world_(std::make_unique<nginx_world>(loop, configured, through, *switch_, *nginx_)) {
  world_->on_configuration = [this](const rollback::nginx_configuration& found) {
    if (on_configuration) on_configuration(found);
  };
  world_->on_addresses = [this](const nginx::slot_addresses& known) {
    if (on_addresses) on_addresses(known);
  };
  world_->lacks_of_its_own = [this] {
    std::vector<lack> lacking;
    for (rollback::live_lock::refusal& why : lock()) {
      const bool is_only_unseen = !why.by_another_agent && switch_->does_without_lock();
      lacking.push_back(
          {!is_only_unseen, is_only_unseen ? "another agent that acts here would not be noticed: " + why.says : why.says, {}});
    }
    return lacking;
  };
  rollback_ = std::make_unique<rollback::shell>(
      loop, rollback::shell::terms{terms_.slots, configured.deployment->prove, proof_within(*configured.deployment)},
      rollback::shell::outside{*switch_, *nginx_, remembered.journal, *world_});
  shell_ = std::make_unique<deployment::shell>(loop, terms_,
                                               deployment::shell::outside{*world_, rules, remembered.facts, *rollback_, tell_,
                                                                          [this](const sighting& seen, const state& s) {
                                                                            if (on_look) on_look(seen, s);
                                                                          },
                                                                          [this, &rules](const state& s) {
                                                                            rules.follow(s);
                                                                            const auto live = live_of(s);
                                                                            if (live) world_->was_followed(live->since.wall);
                                                                            if (on_live) on_live(live);
                                                                          },
                                                                          [this] { return another_agent(); }});
}

acting::~acting() = default;

/// One agent acts on one nginx: whoever comes second watches, and says that it does not act, until the other one has ended.
std::vector<rollback::live_lock::refusal> acting::lock() {
  std::vector<rollback::live_lock::refusal> refused;
  std::erase_if(locks_, [](const auto& held) { return !held.second.holds(); });
  for (const std::string& path : switch_->locked_beside()) {
    if (locks_.contains(path)) continue;
    auto taken = rollback::live_lock::take(path);
    if (taken)
      locks_.emplace(path, *std::move(taken));
    else
      refused.push_back(taken.error());
  }
  // Who only watches must not keep out the one that acts; an order is carried out in any mode.
  if (terms_.mode == config::mode::observe && !shell_->is_rolling()) locks_.clear();
  return refused;
}

std::string acting::another_agent() {
  for (const rollback::live_lock::refusal& why : lock()) {
    if (why.by_another_agent) return why.says;
  }
  return {};
}

void acting::begin() {
  (void)lock();
  found_texts found{memory_.kept.get("epoch"), memory_.kept.get("hold"), memory_.kept.get("latch"), memory_.kept.get("failures")};
  started what = recall(found, terms_, world_->now());
  auto cut_off = rollback_->cut_off(terms_.slots);
  if (!cut_off)
    what.unreadable.emplace_back("rollback under way", cut_off.error());
  else
    what.cut_off = *std::move(cut_off);
  if (cut_off && !what.cut_off) switch_->sweep();  // else what is there may still be needed
  shell_->begin(std::move(what));
}

void acting::go_on_after(acting&& before) {
  before.locks_.clear();
  (void)lock();
  state s = before.shell_->hand_over();
  if (before.terms_.slots == terms_.slots) {
    shell_->go_on_with(std::move(s), *before.shell_);
    return;
  }
  // The slots have other names or another order: what is known is carried over by name, as across a restart.
  const clocks at = world_->now();
  const auto text = [&](fact which) -> found_text { return text_of(which, s, before.terms_, at); };
  started what = recall({text(fact::epoch), text(fact::hold), text(fact::latch), text(fact::failures)}, terms_, at);
  what.closing = s.closing;
  shell_->begin(std::move(what));
}

}  // namespace flipback::deployment
