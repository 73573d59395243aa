#pragma once

#include "agent/deployment/decider.hpp"
#include "agent/deployment/standing.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// A small world in which the decider is driven step by step. It holds what is so; `look` lets the decider see it, `run` lets time go by
/// and answers what the decider asks. What it said and did since the last `forget` is collected.
namespace flipback::deployment {

using namespace std::chrono_literals;

inline constexpr slot_number blue = 0;
inline constexpr slot_number green = 1;

struct story {
  terms by = [] {
    terms made;
    made.slots = {"blue", "green"};
    made.mode = config::mode::act;
    return made;
  }();

  // What is so.
  moment now{instant{} + 24h * 365, wall_time{} + 24h * 365 * 50};
  intent names{intent::kind::names, blue, {}, {}};
  std::optional<slot_number> reached = blue;  ///< what users reach; nothing: it can't be seen
  std::vector<std::string> releases{"v1", "v2"};
  std::vector<bool> well{true, true};
  std::vector<bool> can_be_asked{true, true};  ///< else our own descriptors or resolver are in the way
  bool identity = true;                        ///< whether the front door and the slots say who they are
  bool log = false;                            ///< whether an access log is read
  bool log_both = false;                       ///< whether it shows users at both slots
  std::vector<rule_now> rules;
  blame found_to_blame{blame::kind::release_to_blame, "green fails what blue does well"};
  std::vector<lack> lacks;
  std::string another_agent;
  std::string unmet;  ///< which of its checks the stable slot does not pass
  std::vector<std::string> not_this_release;
  bool answers = true;  ///< whether what is asked is answered at once

  // What came of it.
  state s{};
  std::vector<action> did;

  /// As `status` would tell it.
  [[nodiscard]] standing stood() const { return stands(s, by, now, names); }

  story& passes(duration length) {
    now.at += length;
    now.wall += std::chrono::duration_cast<wall_time::duration>(length);
    return *this;
  }

  void take(const happening& what) {
    stepped done = step(std::move(s), by, present{now, names, rules, another_agent, not_this_release}, what);
    s = std::move(done.after);
    const std::size_t from = did.size();
    did.insert(did.end(), done.actions.begin(), done.actions.end());
    for (std::size_t i = from; i < did.size(); ++i) {
      if (const auto* anew = std::get_if<start_rules_anew>(&did[i]))
        std::erase_if(rules, [&](const rule_now& r) { return r.true_since < anew->at; });
    }
    if (!answers) return;
    for (const action& a : done.actions) answer_to(a);
  }

  void answer_to(const action& a) {
    if (const auto* q = std::get_if<ask_stable>(&a))
      take(stable_answered{{q->epoch, q->slot, now.at, is_well(q->slot), identity && can_be_asked[q->slot] ? releases[q->slot] : "",
                            health(q->slot), unmet, !can_be_asked[q->slot]}});
    else if (const auto* b = std::get_if<ask_blame>(&a))
      take(blame_answered{b->rule, b->epoch, b->condition, now.at, found_to_blame});
    else if (std::holds_alternative<ask_ready>(a))
      take(ready_looked{{now.at, lacks}});
    else if (const auto* k = std::get_if<keep>(&a))
      take(stored{std::string(name_of(k->what)), {}});
  }

  [[nodiscard]] bool is_well(slot_number slot) const { return can_be_asked[slot] && well[slot]; }
  [[nodiscard]] std::string health(slot_number slot) const {
    return !can_be_asked[slot] ? "too many open files" : well[slot] ? "200" : "500";
  }

  [[nodiscard]] sighting sight() const {
    sighting seen;
    seen.at = seen.begun = now;
    seen.names = names;
    seen.fresh = true;
    const auto says = [&](slot_number slot) {
      reply r{reply::kind::anonymous, 200, {}, {}, "200"};
      if (identity) {
        r.is = reply::kind::identified;
        r.identity = by.slots[slot] + "/" + releases[slot];
        r.release = releases[slot];
      }
      return r;
    };
    for (slot_number i = 0; i < by.slots.size(); ++i)
      seen.slots.push_back({is_well(i), is_well(i) ? says(i) : reply{}, health(i), !can_be_asked[i]});
    if (reached && well[*reached]) seen.front_door = says(*reached);
    seen.log.readable = log;
    seen.log.answered.assign(by.slots.size(), 0);
    if (log && reached) {
      seen.log.answered[*reached] = 10;
      seen.log.our_question = log_both ? std::nullopt : reached;
      if (log_both) seen.log.answered = {5, 5};
    }
    return seen;
  }

  story& look(int times = 1) {
    for (int i = 0; i < times; ++i) {
      passes(1s);
      take(looked{sight()});
    }
    return *this;
  }

  /// Time goes by, with a look and a word of the rules each second.
  story& run(duration length) {
    for (const instant until = now.at + length; now.at < until;) {
      look();
      take(judged{});
    }
    return *this;
  }

  /// Somebody switches, and users follow.
  story& flip(slot_number to) {
    names.slot = to;
    reached = to;
    return look(3);
  }

  /// The agent starts on blue, and three minutes later green is put in its place.
  story& green_is_put_live() {
    look(3);
    run(3min);
    flip(green);
    run(10s);
    forget();
    return *this;
  }

  rule_now& breach(const std::string& name = "error-rate") {
    rule_now r;
    r.name = name;
    r.breached = true;
    r.true_since = now.at;
    r.why = "12% > 5%";
    r.holds = answer::yes;
    rules.push_back(std::move(r));
    return rules.back();
  }
  rule_now& pending(duration lasts, const std::string& name = "error-rate") {
    rule_now& r = breach(name);
    r.breached = false;
    r.lasts = lasts;
    return r;
  }
  rule_now& rule(const std::string& name = "error-rate") {
    const auto found = std::ranges::find(rules, name, &rule_now::name);
    REQUIRE(found != rules.end());
    return *found;
  }

  /// What a person types, and the answer; nothing: none yet.
  std::optional<std::pair<bool, std::string>> types(verb v) {
    v.id = ++verbs_;
    if (v.by.empty()) v.by = "ada";
    take(std::move(v));
    return answered();
  }
  std::optional<std::pair<bool, std::string>> types(verb::kind is, bool sure = false) {
    verb v;
    v.is = is;
    v.sure = sure;
    return types(std::move(v));
  }
  /// To the newest verb.
  [[nodiscard]] std::optional<std::pair<bool, std::string>> answered() const {
    for (const action& a : did)
      if (const auto* found = std::get_if<answer_verb>(&a); found && found->id == verbs_) return std::pair{found->done, found->text};
    return std::nullopt;
  }
  std::optional<std::pair<bool, std::string>> holds(duration length, const std::string& who = "ada") {
    verb v;
    v.is = verb::kind::hold;
    v.by = who;
    v.reason = "release day";
    v.length = length;
    return types(std::move(v));
  }

  void forget() { did.clear(); }

  template <typename A>
  [[nodiscard]] int count() const {
    return static_cast<int>(std::ranges::count_if(did, [](const action& a) { return std::holds_alternative<A>(a); }));
  }
  template <typename A>
  [[nodiscard]] std::optional<A> newest() const {
    for (auto a = did.rbegin(); a != did.rend(); ++a)
      if (const auto* found = std::get_if<A>(&*a)) return *found;
    return std::nullopt;
  }
  [[nodiscard]] bool keeps(fact which) const {
    return std::ranges::any_of(did, [&](const action& a) {
      const auto* k = std::get_if<keep>(&a);
      return k && k->what == which;
    });
  }
  /// The sentences of the events of that kind, the oldest first; of all, where it is empty.
  [[nodiscard]] std::vector<std::string> said(const std::string& kind = {}) const {
    std::vector<std::string> all;
    for (const action& a : did)
      if (const auto* e = std::get_if<say>(&a); e && (kind.empty() || e->what.kind == kind)) all.push_back(e->what.says);
    return all;
  }
  [[nodiscard]] int times_said(const std::string& part) const {
    return static_cast<int>(std::ranges::count_if(said(), [&](const std::string& s) { return s.find(part) != std::string::npos; }));
  }
  [[nodiscard]] std::string all_said() const {
    std::string all;
    for (const std::string& each : said()) all += each + "\n";
    return all;
  }

  [[nodiscard]] bool begun() const { return count<begin_rollback>() > 0; }
  [[nodiscard]] bool left() const { return count<give_leave>() > 0; }
  [[nodiscard]] std::string id() const { return s.under_way ? s.under_way->id : std::string("none"); }

  /// A rule is breached, and a rollback begins.
  story& begins() {
    breach();
    run(2s);
    REQUIRE(begun());
    return *this;
  }
  /// A rollback that has begun goes on up to its first change.
  story& changes() {
    take(prepared{id()});
    take(changed{id()});
    return *this;
  }
  story& ends(rollback::outcome how, bool changed_something = true, std::optional<slot_number> seen_at = {}) {
    rollback::ending e;
    e.how = how;
    e.says = "because";
    e.changed = changed_something;
    e.reached = seen_at;
    e.took = 1s;
    take(ended{id(), e});
    return *this;
  }
  /// Breached, rolled back to blue, proven.
  story& is_rolled_back() {
    begins().changes();
    names.slot = reached.emplace(blue);
    rules.clear();
    return ends(rollback::outcome::rolled_back, true, blue);
  }

 private:
  std::uint64_t verbs_ = 0;
};

}  // namespace flipback::deployment
