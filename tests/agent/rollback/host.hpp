#pragma once

#include "agent/rollback/machine.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// A model of a host in which the machine is driven.
namespace flipback::rollback {

using namespace std::chrono_literals;
using deployment::reply;

inline constexpr slot_number blue = 0;   // to go back to
inline constexpr slot_number green = 1;  // live, and sick
using stands = change_state::kind;

inline plan two_files() {
  plan made;
  made.of.id = "1";
  made.of.from = {"green", "v2"};
  made.of.to = {"blue", "v1"};
  for (const char* path : {"/etc/nginx/a", "/etc/nginx/b"}) {
    file_change c;
    c.path = path;
    c.before.is = c.after.is = file_image::kind::regular;
    c.before.bytes = "green";
    c.after.bytes = "blue";
    made.of.changes.emplace_back(c);
  }
  made.forward.slot = made.back.other = blue;
  made.forward.other = made.back.slot = green;
  return made;
}

inline std::string name_of(stands s) {
  return std::vector<std::string>{"before", "after", "foreign", "can't tell"}.at(static_cast<std::size_t>(s));
}

inline bool has(const std::vector<stands>& files, stands what) {
  return std::ranges::find(files, what) != files.end();
}

/// A host in which a rollback is carried out: files that are whole or somebody else's, an nginx that reads them at a reload and that logs
/// whom it passes questions to, a journal. What goes wrong is set by the test.
struct host {
  plan of = two_files();
  machine_state machine{};
  std::vector<stands> files{stands::before, stands::before};
  std::optional<slot_number> runs = green;  ///< what nginx has read; nothing: files of both slots, or somebody else's
  instant now = instant{} + 100s;

  std::function<answer()> test = [] { return answer::yes; };
  std::string test_says = "nginx says so";
  answer reload = answer::yes;
  bool reloads = true;  ///< whether a reload is carried out, whatever is said of it
  bool logs = true;
  std::vector<std::string> troubles;  ///< of the rows that are waited for, one after the other
  std::function<std::optional<put_result::kind>(const put_change&)> instead_of_put = [](const put_change&) { return std::nullopt; };
  std::function<void(proof_look&)> at_look = [](proof_look&) {};
  bool give_leave = true;
  std::string stopped;

  std::vector<std::string> did;  ///< in words
  std::vector<row> rows;
  std::vector<event> told;
  int changed_told = 0;
  std::optional<ending> over;
  std::optional<instant> looked_first;

  [[nodiscard]] std::optional<slot_number> named() const {
    if (std::ranges::all_of(files, [](stands s) { return s == stands::before; })) return green;
    if (std::ranges::all_of(files, [](stands s) { return s == stands::after; })) return blue;
    return std::nullopt;
  }
  /// What the switch names, as it is read there: it may say more than the changes are about.
  std::function<deployment::intent()> names = [this] {
    deployment::intent found;
    found.is = named() ? deployment::intent::kind::names : deployment::intent::kind::neither;
    found.slot = named().value_or(0);
    return found;
  };
  [[nodiscard]] bool mixed() const { return has(files, stands::before) && has(files, stands::after); }
  [[nodiscard]] auto count(const std::string& what) const { return std::ranges::count(did, what); }
  [[nodiscard]] bool wrote(row::kind k) const {
    return std::ranges::any_of(rows, [&](const row& r) { return r.is == k; });
  }

  put_result put(const put_change& p) {
    did.push_back(std::string(p.to == end::after ? "put " : "put back ") + std::to_string(p.change));
    if (const auto kind = instead_of_put(p)) {
      if (*kind == put_result::kind::cant_tell) files[p.change] = p.to == end::after ? stands::after : stands::before;
      return {*kind, "the disk says so"};
    }
    if (files[p.change] == stands::foreign) return {put_result::kind::foreign, "somebody changed it"};
    files[p.change] = p.to == end::after ? stands::after : stands::before;
    return {put_result::kind::done, {}};
  }

  proof_look look(const look_for_proof& how) {
    if (!looked_first) looked_first = now;
    now += std::max<duration>(how.in, 1ms);
    proof_look seen;
    seen.at = now;
    seen.new_workers = seen.old_gone = reloads ? answer::yes : answer::no;
    if (how.ask) {
      did.emplace_back("asked");
      seen.door = reply{reply::kind::anonymous, 200, {}, {}, "200"};
      if (logs) seen.line = own_line{runs, reloads ? answer::yes : answer::cant_tell, 200};
    }
    at_look(seen);
    return seen;
  }

  std::optional<happening> perform(const action& a) {
    if (const auto* w = std::get_if<write_row>(&a)) {
      rows.push_back(w->what);
      if (!w->awaited) return std::nullopt;
      did.emplace_back(w->what.is == row::kind::undoing ? "journal the undo" : "journal");
      std::string trouble;
      if (!troubles.empty()) {
        trouble = troubles.front();
        troubles.erase(troubles.begin());
      }
      return written{trouble};
    }
    if (std::holds_alternative<run_test>(a)) {
      did.emplace_back("test");
      return tested{test(), test_says, 20ms, names()};
    }
    if (std::holds_alternative<ask_leave>(a)) {
      did.emplace_back("ask leave");
      if (!stopped.empty()) return stop{stopped};
      if (give_leave) return leave{now, names()};
      return std::nullopt;
    }
    if (const auto* p = std::get_if<put_change>(&a)) {
      const put_result how = put(*p);
      return put_done{how, names()};
    }
    if (std::holds_alternative<mark_nginx>(a)) did.emplace_back("mark");
    if (std::holds_alternative<reload_nginx>(a)) {
      did.emplace_back("reload");
      if (reloads) runs = named();
      return reloaded{reload, "the reloader says so", now};
    }
    if (const auto* l = std::get_if<look_for_proof>(&a)) return proof_looked{look(*l)};
    if (std::holds_alternative<tell_changed>(a)) {
      ++changed_told;
      did.emplace_back("changed");
    }
    if (const auto* t = std::get_if<tell_step>(&a)) told.push_back(t->what);
    if (const auto* f = std::get_if<finish>(&a)) over = f->how;
    return std::nullopt;
  }

  /// Until nothing is under way any more.
  host& run(happening first) {
    std::optional<happening> next = std::move(first);
    for (int steps = 0; next; ++steps) {
      if (steps > 20000) FAIL("it goes round in circles");
      machine_stepped done = step(std::move(machine), of, *next);
      machine = std::move(done.after);
      next.reset();
      for (const action& a : done.actions) {
        auto answered = perform(a);
        if (answered && next) FAIL("two things are under way at once");
        if (answered) next = std::move(answered);
      }
    }
    return *this;
  }
  host& roll_back() { return run(start{now}); }
  host& recover(bool undo_begun = false, bool well = true, bool has_release = true) {
    cut_off found;
    for (const stands s : files) found.changes.push_back({s, s == stands::foreign ? "somebody changed it" : ""});
    found.rows = 4;
    found.undo_begun = undo_begun;
    found.stable_is_well = well;
    found.stable_has_release = has_release;
    found.stable_says = well ? "it has v7" : "it answers 500";
    return run(start_over{now, found});
  }
};

inline auto says_no_after(int looks) {
  return [left = looks](proof_look& seen) mutable {
    if (left-- == 0) seen.emerg = "[emerg] bind() failed";
  };
}

}  // namespace flipback::rollback
