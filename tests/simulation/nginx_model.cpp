#include "tests/simulation/nginx_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace flipback::simulation {

using deployment::intent;
using deployment::reply;

nginx_model::nginx_model(const setup& how, agenda& time, dice& chance, disk_model& disk, slots_model& slots)
    : how_(how), time_(time), chance_(chance), disk_(disk), slots_(slots) {}

std::string nginx_model::live_path(std::size_t file) const {
  return fmt::format("live/{}", file);
}

file_image nginx_model::image_for(slot_number n, std::size_t file) const {
  const std::string& name = how_.by.slots[n];
  if (how_.how == switched_by::link || how_.how == switched_by::socket) return link_to(name);
  const std::string& other = how_.by.slots[1 - n];
  std::string more;
  if (how_.sites == site_kind::backup) more = fmt::format(" server {} backup;", other);
  if (how_.sites == site_kind::split) more = fmt::format(" server {} weight;", other);
  return regular_file(fmt::format("# site {}\nupstream {{ server {};{} }}\n", file, name, more));
}

std::optional<slot_number> nginx_model::named_by(std::size_t file) const {
  const file_image& now = disk_.read(live_path(file));
  std::optional<slot_number> says;
  for (slot_number n = 0; n < how_.by.slots.size(); ++n) {
    const bool is = how_.how == switched_by::text ? now.bytes.contains(fmt::format("server {};", how_.by.slots[n]))
                                                  : now.says_the_same_as(image_for(n, file));
    if (is) says = n;
  }
  return says;
}

intent nginx_model::intent() const {
  deployment::intent found;
  std::optional<slot_number> named;
  for (std::size_t f = 0; f < how_.files; ++f) {
    const std::optional<slot_number> says = named_by(f);
    if (!says || (named && *named != *says)) {
      found.is = intent::kind::neither;
      found.says = fmt::format("{} says something else", live_path(f));
      return found;
    }
    named = says;
    if (const auto* e = disk_.find(live_path(f)); e != nullptr) found.changed = std::max(found.changed.value_or(e->changed), e->changed);
  }
  found.is = intent::kind::names;
  found.slot = named.value_or(0);
  return found;
}

std::optional<std::vector<rollback::change>> nginx_model::changes_to(slot_number to) const {
  std::vector<rollback::change> made;
  for (std::size_t f = 0; f < how_.files; ++f) {
    file_change c;
    c.path = live_path(f);
    c.before = disk_.read(c.path);
    c.after = image_for(to, f);
    if (how_.how == switched_by::text) {
      c.after = c.before;
      const std::string from = fmt::format("server {};", how_.by.slots[1 - to]);
      const std::string into = fmt::format("server {};", how_.by.slots[to]);
      const std::size_t at = c.after.bytes.find(from);
      if (at != std::string::npos)
        c.after.bytes.replace(at, from.size(), into);
      else if (!c.after.bytes.contains(into))
        return std::nullopt;
    }
    if (!c.before.says_the_same_as(c.after)) made.emplace_back(std::move(c));
  }
  return made;
}

server_says nginx_model::understood(const std::string& path) const {
  const file_image* at = &disk_.read(path);
  server_says found;
  if (at->is == file_image::kind::link) {
    const auto n = std::ranges::find(how_.by.slots, at->target);
    if (n == how_.by.slots.end()) return found;
    found.first = static_cast<slot_number>(n - how_.by.slots.begin());
    if (how_.sites == site_kind::backup) found.backup = 1 - *found.first;
    if (how_.sites == site_kind::split) found.second = 1 - *found.first;
    return found;
  }
  if (!at->bytes.contains('}')) return found;
  for (slot_number n = 0; n < how_.by.slots.size(); ++n) {
    const std::string& name = how_.by.slots[n];
    if (at->bytes.contains(fmt::format("server {};", name))) found.first = n;
    if (at->bytes.contains(fmt::format("server {} backup;", name))) found.backup = n;
    if (at->bytes.contains(fmt::format("server {} weight;", name))) found.second = n;
  }
  return found;
}

bool nginx_model::takes_its_files() const {
  if (broken_elsewhere) return false;
  for (std::size_t f = 0; f < how_.files; ++f) {
    if (!understood(live_path(f)).first) return false;
  }
  return true;
}

void nginx_model::start() {
  generations_.clear();
  if (!takes_its_files()) return;
  generation g;
  g.number = next_++;
  g.born = time_.now();
  for (std::size_t f = 0; f < how_.files; ++f) g.servers.push_back(understood(live_path(f)));
  generations_.push_back(std::move(g));
}

void nginx_model::reload() {
  time_.after(chance_.between(milliseconds(2), milliseconds(30)), [this] {
    if (!runs()) return;
    if (!takes_its_files()) {
      ++complaints_;
      return;
    }
    last_reload_ = time_.now();
    const duration stay = lingers ? chance_.between(seconds(1), seconds(6)) : chance_.between(milliseconds(95), milliseconds(130));
    for (generation& g : generations_) {
      if (!std::exchange(g.leaving, true)) g.accepts_until = time_.now() + stay;
    }
    std::erase_if(generations_, [&](const generation& g) { return g.leaving && g.accepts_until < time_.now(); });
    generation g;
    g.number = next_++;
    g.born = time_.now();
    for (std::size_t f = 0; f < how_.files; ++f) g.servers.push_back(understood(live_path(f)));
    generations_.push_back(std::move(g));
  });
}

std::vector<const nginx_model::generation*> nginx_model::accepting() const {
  std::vector<const generation*> found;
  for (const generation& g : generations_) {
    if (!g.leaving || time_.now() < g.accepts_until) found.push_back(&g);
  }
  return found;
}

bool nginx_model::only_workers_since(duration change) const {
  return std::ranges::all_of(accepting(), [&](const generation* g) { return g->born >= change; });
}

slot_number nginx_model::stands_in(const server_says& s, dice& chance) const {
  slot_number first = *s.first;
  // Nothing needs to be reloaded for a socket: whoever connects is led by the link as it is then.
  if (how_.how == switched_by::socket) {
    if (const auto now = understood(live_path(0)).first) first = *now;
  }
  if (s.second && chance.chance(0.2)) first = *s.second;
  if (s.backup && slots_.at(first).is == slots_model::condition::stopped) first = *s.backup;
  return first;
}

std::vector<double> nginx_model::users() const {
  std::vector<double> share(how_.by.slots.size());
  const auto now = accepting();
  for (const generation* g : now) {
    for (const server_says& s : g->servers) {
      const double part = 1.0 / static_cast<double>(now.size() * g->servers.size());
      slot_number first = *s.first;
      if (how_.how == switched_by::socket) {
        if (const auto led = understood(live_path(0)).first) first = *led;
      }
      if (s.backup && slots_.at(first).is == slots_model::condition::stopped) first = *s.backup;
      share[first] += part * (s.second ? 0.8 : 1.0);
      if (s.second) share[*s.second] += part * 0.2;
    }
  }
  return share;
}

std::optional<slot_number> nginx_model::reached() const {
  const std::vector<double> share = users();
  const auto most = std::ranges::max_element(share);
  if (most == share.end() || *most < 0.999) return std::nullopt;
  return static_cast<slot_number>(most - share.begin());
}

std::optional<nginx_model::passed> nginx_model::pass_question() {
  const auto now = accepting();
  if (now.empty()) return std::nullopt;
  const generation& g = *now[chance_.below(now.size())];
  return passed{stands_in(g.servers.front(), chance_), g.number};
}

reply nginx_model::ask_door(bool fresh, std::optional<passed>& went) {
  if (accepting().empty()) {
    reply none;
    none.says = "refused";
    return none;
  }
  const bool from_cache = how_.cache == cache_kind::whole || (how_.cache == cache_kind::by_address && !fresh);
  if (from_cache && cached_.reply && time_.now() - cached_.at < how_.cached_for) return *cached_.reply;
  went = pass_question();
  reply r = slots_.reply_of(went->slot);
  if (from_cache && r.status == 200) cached_ = {r, time_.now()};
  return r;
}

std::optional<slot_number> nginx_model::leads_to() const {
  std::optional<slot_number> found;
  for (const generation* g : accepting()) {
    for (const server_says& s : g->servers) {
      slot_number first = *s.first;
      if (how_.how == switched_by::socket) {
        if (const auto led = understood(live_path(0)).first) first = *led;
      }
      if (found && *found != first) return std::nullopt;
      found = first;
    }
  }
  return found;
}

}  // namespace flipback::simulation
