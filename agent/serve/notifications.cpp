#include "agent/serve/notifications.hpp"

#include "flipback/one_line.hpp"
#include "flipback/settings.hpp"

#include "agent/event_lines.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

namespace flipback::serve {

namespace json = boost::json;
using notify::attempt;
using notify::parcel;

namespace {

constexpr std::size_t most_shown = 50;  ///< letters, the newest

/// How a target is doing, by its newest letter.
struct health {
  std::string_view is = "never";  ///< "ok", "failing", or "never": it was told nothing yet
  std::string says;
  std::optional<wall_time> last;  ///< delivered
};

health health_of(const std::string& target, const notify::outbox& sent) {
  health found;
  for (const parcel* p : sent.all()) {
    if (p->target != target || p->is != parcel::state::delivered) continue;
    found.is = "ok";
    found.last = p->newest;
    break;
  }
  if (const auto* const failing = sent.is_failing(target)) {
    found.is = "failing";
    found.says = failing->says;
  }
  return found;
}

json::object as_object(const parcel& p) {
  return {{"at", time_text(p.newest)},
          {"target", p.target},
          {"incident", p.what.about == notify::subject::incident ? p.what.matter : ""},
          {"matter", p.what.matter},
          {"what", p.what.title},
          {"is", name_of(p.is)},
          {"says", p.says},
          {"tries", p.tries}};
}

reply as_json(const notify::notifier& of) {
  json::array targets;
  for (const auto& t : of.reaches().targets) {
    const health h = health_of(t.entry.name, of.sent());
    json::object one{{"target", t.entry.name}, {"kind", t.entry.type}, {"level", t.entry.level}, {"is", h.is}, {"says", h.says}};
    one["last"] = h.last ? json::value(time_text(*h.last)) : json::value();
    targets.push_back(std::move(one));
  }
  json::array letters;
  for (const parcel* p : of.sent().all()) {
    if (letters.size() == most_shown) break;
    letters.push_back(as_object(*p));
  }
  const json::object page{
      {"off", of.reaches().targets.empty() ? of.untold() : ""}, {"targets", std::move(targets)}, {"messages", std::move(letters)}};
  return {true, escaped_json(json::serialize(page)) + "\n"};
}

}  // namespace

reply notifications(const notify::notifier& of, bool in_json) {
  if (in_json) return as_json(of);
  if (of.reaches().targets.empty()) return {true, of.untold() + "\n"};
  std::string text;
  for (const auto& t : of.reaches().targets) {
    const health h = health_of(t.entry.name, of.sent());
    const std::string last = h.last ? fmt::format(", last {}", time_text(*h.last)) : "";
    text += fmt::format("{:<9} {} ({}, level {}){}{}\n", h.is, t.entry.name, t.entry.type, t.entry.level, last,
                        h.says.empty() ? "" : ": " + one_line(h.says));
  }
  std::size_t shown = 0;
  for (const parcel* p : of.sent().all()) {
    if (++shown > most_shown) break;
    text += fmt::format("{}  {:<9} {}  {}{}\n", time_text(p->newest), name_of(p->is), p->target, one_line(p->what.title),
                        p->says.empty() ? "" : fmt::format(" ({} {}: {})", p->tries, p->tries == 1 ? "try" : "tries", one_line(p->says)));
  }
  return {true, text};
}

boost::asio::awaitable<reply> test_notifications(notify::notifier& of, demand asked) {
  const std::string only = asked.values["target"];
  std::vector<std::string> names;
  for (const auto& t : of.reaches().targets) names.push_back(t.entry.name);
  if (names.empty()) co_return reply{false, of.untold() + "\n"};
  if (!only.empty() && std::ranges::find(names, only) == names.end()) {
    const std::string meant = settings::nearest(only, names);
    co_return reply{false,
                    fmt::format("found no target {}; {}\n", one_line(only),
                                meant.empty() ? "`flipback notifications` lists them" : fmt::format("did you mean {}?", meant)),
                    true};
  }
  bool all = true;
  std::string text;
  for (const auto& [target, kind, became] : co_await of.test(only)) {
    const bool arrived = became.is == attempt::result::delivered;
    all = all && arrived;
    text += fmt::format("{:<9} {} ({}){}\n", arrived ? "delivered" : "failed", target, kind,
                        became.says.empty() ? "" : ": " + one_line(became.says));
  }
  co_return reply{all, text};
}

}  // namespace flipback::serve
