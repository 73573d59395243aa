#include "agent/notify/outbox.hpp"

#include "flipback/doubled_wait.hpp"
#include "flipback/unix_milliseconds.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace flipback::notify {

namespace json = boost::json;
using state = parcel::state;

namespace {

duration wait_after(unsigned failures) {
  return doubled_wait(failures, outbox::first_wait, outbox::longest_wait);
}

bool is_done_with(const parcel& p) {
  return p.is == state::delivered || p.is == state::given_up;
}

std::string text_of(const parcel& p) {
  return json::serialize(json::object{{"letter", as_object(p.what)},
                                      {"target", p.target},
                                      {"is", name_of(p.is)},
                                      {"tries", p.tries},
                                      {"posted", unix_milliseconds(p.posted)},
                                      {"newest", unix_milliseconds(p.newest)},
                                      {"says", p.says},
                                      {"kept", p.kept},
                                      {"again", p.again}});
}

state state_named(std::string_view name) {
  for (const state s : {state::under_way, state::delivered, state::given_up}) {
    if (name_of(s) == name) return s;
  }
  return state::waiting;
}

}  // namespace

std::string_view name_of(parcel::state s) {
  constexpr std::array<std::string_view, 4> names{"waiting", "under way", "delivered", "given up"};
  return names.at(static_cast<std::size_t>(s));
}

void outbox::post(const letter& what, const std::string& target, const moment& now) {
  supersede(what, target);
  parcels_.push_back({.what = what, .target = target, .posted = now.wall, .newest = now.wall, .due = now.at});
  letter& own = parcels_.back().what;  // an earlier life may have written one of that number, and not remembered it
  const auto is_taken = [&](const parcel& p) { return &p.what != &own && p.target == target && p.what.id() == own.id(); };
  while (std::ranges::any_of(parcels_, is_taken)) ++own.number;
  change(parcels_.back());
  // What wakes somebody does not wait out what another letter has met.
  const auto its = targets_.find(target);
  if (its != targets_.end() && what.severity == severity::critical && what.at == stage::begun) its->second.due = now.at;
  make_room(now);
}

/// Each letter says all that those before it said, but that the matter has begun.
void outbox::supersede(const letter& by, const std::string& target) {
  std::erase_if(parcels_, [&](const parcel& p) {
    const bool goes = p.is == state::waiting && p.target == target && p.what.matter == by.matter && p.what.at == stage::changed;
    if (goes) change(p);
    return goes;
  });
}

/// Of a matter that is not over, the newest letter that arrived: it says that the target knows of it, and how the next one finds it.
bool outbox::is_needed(const parcel& p) const {
  const bool lasts = p.what.about == subject::incident || p.what.about == subject::alerts;
  if (!lasts || p.is != state::delivered || p.what.at == stage::ended) return false;
  const auto is_newer = [&](const parcel& other) {
    return other.target == p.target && other.what.matter == p.what.matter && other.what.number > p.what.number &&
           other.is == state::delivered;
  };
  return std::ranges::none_of(parcels_, is_newer);
}

void outbox::make_room(const moment& now) {
  const auto drop = [&](std::vector<parcel>::iterator at) {
    change(*at);
    if (!is_done_with(*at)) dropped_.push_back(std::move(*at));
    return parcels_.erase(at);
  };
  const auto may_go = [&](const parcel& p) { return is_done_with(p) && !is_needed(p); };
  for (auto at = parcels_.begin(); at != parcels_.end();)
    at = now.wall - at->newest > remembered_for && may_go(*at) ? drop(at) : std::next(at);
  while (parcels_.size() > most) {
    const auto done = std::ranges::find_if(parcels_, may_go);
    drop(done != parcels_.end() ? done : parcels_.begin());
  }
}

/// The one that must be delivered before this: of the same matter; and of cutovers, which tell of one thing after the other, any of them.
const parcel* outbox::head(const parcel& of) const {
  const auto is_its = [&](const parcel& p) {
    const bool is_of_it = p.what.matter == of.what.matter || (of.what.about == subject::cutover && p.what.about == subject::cutover);
    return !is_done_with(p) && p.target == of.target && is_of_it;
  };
  const auto found = std::ranges::find_if(parcels_, is_its);
  return found == parcels_.end() ? nullptr : &*found;
}

std::optional<parcel> outbox::begin(const std::string& target, const moment& now) {
  if (const auto its = targets_.find(target); its != targets_.end() && its->second.due > now.at) return std::nullopt;
  parcel* chosen = nullptr;
  for (parcel& p : parcels_) {
    if (p.target != target || p.is != state::waiting || p.due > now.at || head(p) != &p) continue;
    if (chosen == nullptr || p.tries < chosen->tries) chosen = &p;
  }
  if (chosen == nullptr) return std::nullopt;
  chosen->is = state::under_way;
  ++chosen->tries;
  chosen->newest = now.wall;
  chosen->kept = kept_of(chosen->what.matter, target);
  change(*chosen);
  return *chosen;
}

std::string outbox::kept_of(const std::string& matter, const std::string& target) const {
  for (auto p = parcels_.rbegin(); p != parcels_.rend(); ++p) {
    if (p->is == state::delivered && p->target == target && p->what.matter == matter) return p->kept;
  }
  return {};
}

parcel* outbox::find(const std::string& letter, const std::string& target) {
  const auto found = std::ranges::find_if(parcels_, [&](const parcel& p) { return p.target == target && p.what.id() == letter; });
  return found == parcels_.end() ? nullptr : &*found;
}

std::optional<parcel> outbox::end(const parcel& begun, const attempt& how, const moment& now) {
  parcel* const p = find(begun.what.id(), begun.target);
  if (p == nullptr) return std::nullopt;
  health& its = targets_[begun.target];
  p->newest = now.wall;
  p->says = how.says;
  if (how.is == attempt::result::delivered) {
    p->is = state::delivered;
    p->kept = how.kept;
    p->due = now.at;
    p->again = false;
    its = {};
  } else {
    const bool waits = how.is == attempt::result::not_yet;
    const bool is_tried_out = !p->again && p->tries >= least_tries && now.wall - p->posted >= given_up_after;
    p->is = waits && !is_tried_out ? state::waiting : state::given_up;
    p->due = now.at + wait_after(p->tries);
    if (its.failures++ == 0) its.since.since = now.wall;
    its.since.says = how.says;
    its.due = now.at + (waits ? how.after.value_or(wait_after(its.failures)) : duration{});
  }
  change(*p);
  return *p;
}

void outbox::interrupt(const parcel& begun) {
  parcel* const p = find(begun.what.id(), begun.target);
  if (p == nullptr || p->is != state::under_way) return;
  p->is = state::waiting;
  change(*p);
}

std::optional<instant> outbox::next(const std::string& target) const {
  std::optional<instant> earliest;
  for (const parcel& p : parcels_) {
    if (p.target != target || p.is != state::waiting || head(p) != &p) continue;
    if (!earliest || p.due < *earliest) earliest = p.due;
  }
  const auto its = targets_.find(target);
  if (earliest && its != targets_.end()) earliest = std::max(*earliest, its->second.due);
  return earliest;
}

void outbox::send_again(const std::string& target, duration every, const std::set<std::string>& matters, const moment& now) {
  for (const std::string& matter : matters) {
    const auto counts = [&](const parcel& p) { return p.target == target && p.what.matter == matter && p.is != state::given_up; };
    const auto newest = std::find_if(parcels_.rbegin(), parcels_.rend(), counts);
    if (newest == parcels_.rend() || newest->is != state::delivered || newest->what.at == stage::ended) continue;
    if (now.at - newest->due < every) continue;
    newest->is = state::waiting;
    newest->again = true;
    newest->due = now.at;
    change(*newest);
  }
}

bool outbox::knows(const std::string& matter, const std::string& target) const {
  return std::ranges::any_of(parcels_, [&](const parcel& p) { return p.target == target && p.what.matter == matter; });
}

const outbox::failing* outbox::is_failing(const std::string& target) const {
  const auto found = targets_.find(target);
  return found == targets_.end() || found->second.failures == 0 ? nullptr : &found->second.since;
}

void outbox::use(const std::set<std::string>& targets, const moment& now) {
  targets_.clear();  // they may have been mended, and are tried anew
  for (parcel& p : parcels_) {
    if (is_done_with(p)) continue;
    p.due = now.at;
    if (targets.contains(p.target)) continue;
    p.is = state::given_up;
    p.says = "the configuration names this target no more";
    dropped_.push_back(p);
    change(p);
  }
}

std::vector<const parcel*> outbox::all() const {
  std::vector<const parcel*> found;
  for (auto p = parcels_.rbegin(); p != parcels_.rend(); ++p) found.push_back(&*p);
  return found;
}

std::vector<outbox::row> outbox::take_changes() {
  std::vector<row> rows;
  for (const auto& [letter, target] : std::exchange(changed_, {})) {
    const parcel* const found = find(letter, target);
    rows.push_back({letter, target, found == nullptr ? std::nullopt : std::optional(text_of(*found))});
  }
  return rows;
}

void outbox::not_written(const std::vector<row>& rows) {
  for (const row& r : rows) changed_.emplace(r.letter, r.target);
}

void outbox::write_all() {
  for (const parcel& p : parcels_) change(p);
}

bool outbox::restore(const row& row, const moment& now) {
  try {
    const json::value read = json::parse(row.text.value_or(""));
    const json::object& from = read.as_object();
    auto what = letter_in(from.at("letter").as_object());
    if (!what) throw std::invalid_argument("no letter");
    parcel p{.what = *std::move(what), .target = std::string(from.at("target").as_string())};
    p.is = state_named(from.at("is").as_string());
    p.tries = from.at("tries").to_number<unsigned>();
    p.posted = at_unix_milliseconds(from.at("posted").as_int64());
    p.newest = at_unix_milliseconds(from.at("newest").as_int64());
    p.says = from.at("says").as_string();
    p.kept = from.at("kept").as_string();
    p.again = from.at("again").as_bool();
    p.due = now.at;
    if (p.is == state::under_way) p.is = state::waiting;
    parcels_.push_back(std::move(p));
    return true;
  } catch (const std::exception&) {  // not what `text_of` makes
    changed_.emplace(row.letter, row.target);
    return false;
  }
}

}  // namespace flipback::notify
