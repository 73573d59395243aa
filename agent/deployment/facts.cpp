#include "agent/deployment/facts.hpp"

#include "agent/deployment/fact_reader.hpp"
#include "agent/deployment/fact_text.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace flipback::deployment {

namespace {

namespace json = boost::json;

json::object written(const moment& m) {
  return {{"monotonic", fact_value(m.at)}, {"wall", fact_value(m.wall)}};
}

json::object written(const placed& p, const terms& by) {
  return {{"slot", fact_value(by.slots[p.slot])}, {"release", fact_value(p.release)}};
}

json::object written(const epoch& e, const terms& by) {
  json::object made{{"number", e.number},          {"kind", name_of(e.is)},  {"began", written(e.began)},
                    {"live", written(e.live, by)}, {"returned", e.returned}, {"window_ended", e.window_ended}};
  if (e.before) made["before"] = written(*e.before, by);
  if (e.back)
    made["back"] = json::object{{"to", written(e.back->to, by)}, {"left", written(e.back->left)}, {"doubt", fact_value(e.back->doubt)}};
  return made;
}

/// The text of a fact: what it says, and when it was written.
std::string text(json::object fact, const clocks& now) {
  fact["seen"] = fact_value(stamp{now.boot_id, now.now.at, now.now.wall});
  return json::serialize(fact);
}

/// Brings the times of a fact to this boot's clocks.
class placing {
 public:
  placing(const stamp& seen, const clocks& now)
      : same_boot_(seen.boot_id == now.boot_id), behind_(now.now.wall < seen.wall), now_(now.now), seen_(seen) {}
  /// Of a fact that is older than the newest that was kept in its boot: a clock that was set in between misleads nobody then.
  placing(const stamp& seen, const std::optional<stamp>& newest, const clocks& now)
      : placing(newest && newest->boot_id == seen.boot_id && newest->monotonic > seen.monotonic ? *newest : seen, now) {}

  [[nodiscard]] bool same_boot() const { return same_boot_; }
  [[nodiscard]] bool behind() const { return behind_ && !same_boot_; }
  [[nodiscard]] moment seen() const { return place({seen_.monotonic, seen_.wall}); }
  [[nodiscard]] moment place(const moment& m) const {
    if (same_boot_) return m;
    // All that was saved is on the monotonic clock of the boot that saved it, which nobody sets; the clock on the wall tells the time since
    // then alone. Where it is behind, no time has gone by.
    const duration since = behind_ ? duration{} : std::chrono::duration_cast<duration>(now_.wall - seen_.wall);
    return {now_.at - since - (seen_.monotonic - m.at), m.wall};
  }

 private:
  bool same_boot_;
  bool behind_;
  moment now_;
  stamp seen_;
};

moment read_moment(fact_reader from) {
  moment m;
  m.at = from.monotonic("monotonic");
  m.wall = from.wall("wall");
  return m;
}

placed read_placed(fact_reader from, const terms& by) {
  placed p;
  const std::string name = from.text("slot");
  const auto at = std::ranges::find(by.slots, name);
  if (at == by.slots.end())
    from.refuse("slot", fmt::format("found {}, which is no slot of this configuration", name));
  else
    p.slot = static_cast<slot_number>(at - by.slots.begin());
  p.release = from.text("release");
  return p;
}

/// The newest mark of any rule, or what an earlier life knew of one.
std::optional<instant> newest_mark(const state& s) {
  std::optional<instant> newest = s.in_doubt.mark ? std::optional(s.in_doubt.mark->at) : std::nullopt;
  newest = std::max(newest, s.both_failed);
  const auto& back = s.track.now->back;
  if (back && back->to.slot < s.track.slots.size()) newest = std::max(newest, s.track.slots[back->to.slot].sick);
  for (const auto& [rule, b] : s.blames) newest = std::max(newest, b.first_both_well);
  return newest;
}

json::array written(const std::set<std::string>& names) {
  json::array all;
  for (const std::string& name : names) all.push_back(json::object{{"name", fact_value(name)}});
  return all;
}

json::object written_doubts(const state& s, const moment& now) {
  const doubts d = doubts_to_keep(s, now);
  const recollection was = what_would_be_recalled(s, now);
  json::array troubled;
  for (const auto& [rule, t] : d.troubled) {
    json::object one{{"rule", fact_value(rule)}, {"at", written(t.last)}};
    if (t.since)
      one["true"] = json::object{{"since", fact_value(*t.since)}, {"bridged", t.bridged.count()}, {"meaning", fact_value(t.meaning)}};
    troubled.push_back(std::move(one));
  }
  json::array changes;
  for (const moment& at : was.changes_in_place) changes.push_back(json::object{{"at", written(at)}});
  json::object made{{"not_this_release", written(d.not_this_release)},
                    {"withheld", written(d.withheld)},
                    {"troubled", std::move(troubled)},
                    {"unreadable", written(s.unreadable)},
                    {"mixed", was.mixed},
                    {"live_was_well", was.live_was_well},
                    {"changes_in_place", std::move(changes)}};
  if (d.mark) made["mark"] = written(*d.mark);
  if (d.failed)
    made["failed"] = json::object{{"count", d.failed->count},
                                  {"newest", written(d.failed->newest)},
                                  {"rule", fact_value(d.failed->rule)},
                                  {"says", fact_value(d.failed->says)}};
  return made;
}

struct read_epoch {
  stamp seen;
  recollection was;
  std::vector<departure> departures;
  doubts in_doubt;
  std::vector<std::pair<std::string, std::string>> unreadable;
};

std::set<std::string> read_names(fact_reader& from, std::string_view key) {
  std::set<std::string> names;
  for (fact_reader& one : from.objects(key)) names.insert(one.text("name"));
  return names;
}

trouble read_trouble(fact_reader& from, const placing& at) {
  trouble t{.last = at.place(read_moment(from.object("at"))), .since = {}, .bridged = {}, .meaning = {}};
  // What was pending outlasts no boot: nobody watched for too long.
  if (!from.has("true") || !at.same_boot()) return t;
  fact_reader is_true = from.object("true");
  t.since = is_true.monotonic("since");
  t.bridged = duration(static_cast<std::int64_t>(std::min(is_true.count("bridged"), std::uint64_t{INT64_MAX})));
  t.meaning = is_true.text("meaning");
  return t;
}

void read_doubts(fact_reader from, const placing& at, const clocks& now, read_epoch& into) {
  into.in_doubt.not_this_release = read_names(from, "not_this_release");
  into.in_doubt.withheld = read_names(from, "withheld");
  for (fact_reader& one : from.objects("troubled")) into.in_doubt.troubled[one.text("rule")] = read_trouble(one, at);
  for (const std::string& what : read_names(from, "unreadable")) into.unreadable.emplace_back(what, "nor could it at an earlier start");
  into.was.mixed = from.yes_or_no("mixed");
  into.was.live_was_well = from.yes_or_no("live_was_well");
  for (fact_reader& one : from.objects("changes_in_place")) into.was.changes_in_place.push_back(at.place(read_moment(one.object("at"))));
  if (from.has("failed")) {
    fact_reader f = from.object("failed");
    into.in_doubt.failed = failed_attempts{
        static_cast<unsigned>(f.count("count")), at.place(read_moment(f.object("newest"))), f.text("rule"), f.text("says"), {}};
  }
  if (!from.has("mark")) return;
  // What was so until shortly before the end may have gone on while nobody watched.
  const moment mark = at.place(read_moment(from.object("mark")));
  into.in_doubt.mark = at.seen().at - mark.at < sick_alike ? now.now : mark;
}

std::expected<read_epoch, std::string> epoch_from(const std::string& text, const terms& by, const clocks& now) {
  fact_reader from(text, "the epoch");
  read_epoch made;
  made.seen = from.stamp("seen");
  const placing at(made.seen, now);
  fact_reader e = from.object("epoch");
  epoch& then = made.was.then;
  then.number = e.count("number");
  then.is = static_cast<epoch::kind>(e.one_of("kind", epoch_kinds));
  then.began = at.place(read_moment(e.object("began")));
  then.live = read_placed(e.object("live"), by);
  then.returned = e.yes_or_no("returned");
  then.window_ended = e.yes_or_no("window_ended");
  if (e.has("before")) then.before = read_placed(e.object("before"), by);
  if (e.has("back")) {
    fact_reader back = e.object("back");
    then.back = way_back{read_placed(back.object("to"), by), at.place(read_moment(back.object("left"))), back.text("doubt")};
  }
  for (fact_reader& d : from.objects("departures"))
    made.departures.push_back({read_placed(d.object("what"), by), at.place(read_moment(d.object("at"))), d.text("doubt")});
  if (from.has("doubts"))
    read_doubts(from.object("doubts"), at, now, made);
  else
    made.unreadable.emplace_back("doubts", "a version of Flipback wrote it that kept none");
  made.was.seen = at.seen();
  made.was.clock_is_behind = at.behind();
  made.was.other_boot = !at.same_boot();
  return from.finish(std::move(made));
}

std::expected<hold, std::string> hold_from(const std::string& text, const std::optional<stamp>& newest, const clocks& now) {
  fact_reader from(text, "the hold");
  const placing at(from.stamp("seen"), newest, now);
  hold made;
  made.by = from.text("by");
  made.reason = from.text("reason");
  const moment since = read_moment(from.object("since"));
  const moment until = read_moment(from.object("until"));
  made.since = at.place(since);
  made.until = at.place(until);
  if (at.behind()) made.until = {now.now.at + (until.at - since.at), now.now.wall + (until.wall - since.wall)};  // all of it, from now
  return from.finish(std::move(made));
}

std::expected<latch, std::string> latch_from(const std::string& text, const terms& by, const std::optional<stamp>& newest,
                                             const clocks& now) {
  fact_reader from(text, "the latch");
  const placing at(from.stamp("seen"), newest, now);
  latch made;
  made.epoch = from.count("epoch");
  made.what = read_placed(from.object("what"), by);
  made.rule = from.text("rule");
  made.shut = at.place(read_moment(from.object("shut")));
  made.became = from.text("became");
  return from.finish(std::move(made));
}

std::expected<std::vector<failure>, std::string> failures_from(const std::string& text, const terms& by, const std::optional<stamp>& newest,
                                                               const clocks& now) {
  fact_reader from(text, "the releases that were rolled back");
  const placing at(from.stamp("seen"), newest, now);
  std::vector<failure> made;
  for (fact_reader& f : from.objects("failures"))
    made.push_back({read_placed(f.object("what"), by), at.place(read_moment(f.object("at")))});
  return from.finish(std::move(made));
}

}  // namespace

doubts doubts_to_keep(const state& s, const moment& now) {
  doubts kept = s.in_doubt;
  if (const auto mark = newest_mark(s)) kept.mark = {*mark, now.wall - std::chrono::duration_cast<wall_time::duration>(now.at - *mark)};
  return kept;
}

recollection what_would_be_recalled(const state& s, const moment& now) {
  const std::deque<moment>& changes = s.track.changes_in_place;
  return {*s.track.now, now, false, false, s.track.is == agreement::mixed, s.track.live_was_well, {changes.begin(), changes.end()}};
}

std::optional<std::string> text_of(fact which, const state& s, const terms& by, const clocks& now) {
  switch (which) {
    case fact::epoch: {
      if (!s.track.now) return std::nullopt;
      json::array departures;
      for (const departure& d : s.track.departures)
        departures.push_back(json::object{{"what", written(d.what, by)}, {"at", written(d.at)}, {"doubt", fact_value(d.doubt)}});
      return text({{"epoch", written(*s.track.now, by)}, {"departures", std::move(departures)}, {"doubts", written_doubts(s, now.now)}},
                  now);
    }
    case fact::hold:
      if (!s.held) return std::nullopt;
      return text({{"by", fact_value(s.held->by)},
                   {"reason", fact_value(s.held->reason)},
                   {"since", written(s.held->since)},
                   {"until", written(s.held->until)}},
                  now);
    case fact::latch:
      if (!s.latched) return std::nullopt;
      return text({{"epoch", s.latched->epoch},
                   {"what", written(s.latched->what, by)},
                   {"rule", fact_value(s.latched->rule)},
                   {"shut", written(s.latched->shut)},
                   {"became", fact_value(s.latched->became)}},
                  now);
    case fact::failures: {
      if (s.failures.empty()) return std::nullopt;
      json::array all;
      for (const failure& f : s.failures) all.push_back(json::object{{"what", written(f.what, by)}, {"at", written(f.at)}});
      return text({{"failures", std::move(all)}}, now);
    }
  }
  return std::nullopt;
}

started recall(const found_texts& found, const terms& by, const clocks& now) {
  started made;
  std::optional<stamp> newest;
  const auto take = [&](fact which, const found_text& text, const auto& read, const auto& into) {
    if (!text) {
      made.unreadable.emplace_back(name_of(which), text.error());
    } else if (*text) {
      auto good = read(**text);
      if (good)
        into(*std::move(good));
      else
        made.unreadable.emplace_back(name_of(which), good.error());
    }
  };
  take(
      fact::epoch, found.epoch, [&](const std::string& t) { return epoch_from(t, by, now); },
      [&](read_epoch e) {
        newest = e.seen;
        made.recalled = std::move(e.was);
        made.departures = std::move(e.departures);
        made.in_doubt = std::move(e.in_doubt);
        std::ranges::move(e.unreadable, std::back_inserter(made.unreadable));
      });
  take(fact::hold, found.hold, [&](const std::string& t) { return hold_from(t, newest, now); }, [&](hold h) { made.held = std::move(h); });
  take(
      fact::latch, found.latch, [&](const std::string& t) { return latch_from(t, by, newest, now); },
      [&](latch l) { made.latched = std::move(l); });
  take(
      fact::failures, found.failures, [&](const std::string& t) { return failures_from(t, by, newest, now); },
      [&](std::vector<failure> f) { made.failures = std::move(f); });
  return made;
}

}  // namespace flipback::deployment
