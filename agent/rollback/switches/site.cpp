#include "flipback/as_typed.hpp"

#include "agent/rollback/beside.hpp"
#include "agent/rollback/file_image.hpp"
#include "agent/rollback/slot_switch.hpp"
#include "agent/rollback/switches/difference.hpp"
#include "agent/rollback/switches/files.hpp"
#include "agent/rollback/switches/links.hpp"
#include "agent/rollback/switches/text_pieces.hpp"

#include <fmt/format.h>

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

namespace flipback::rollback {

namespace {

using deployment::intent;

/// How one live file stands.
struct standing {
  file_image here;       ///< what is at the path itself
  std::string path;      ///< what is replaced: the path, or the file behind it, where that is no slot's
  bool by_link = false;  ///< its link is replaced: it leads to a slot's file, or nowhere
  file_image said;       ///< what nginx would read there; absent where it leads nowhere
};

class site_switch final : public file_switch {
 public:
  explicit site_switch(const config::configuration& configured)
      : file_switch(configured.deployment->in_place, !configured.nginx.helper.empty()),
        files_(configured.deployment->live_files),
        slots_(configured.slots) {}

  [[nodiscard]] intent names() override;
  [[nodiscard]] std::expected<std::vector<change>, std::string> changes_to(slot_number to) override;
  [[nodiscard]] std::vector<std::string> obstacles() override;
  [[nodiscard]] std::vector<std::string> notes() override;
  [[nodiscard]] std::vector<std::string> locked_beside() const override { return paths_of(files_); }

 protected:
  [[nodiscard]] std::vector<std::string> changed_paths() const override { return with_files_behind(files_); }

 private:
  static std::expected<standing, std::string> stands(const config::live_file& f);
  std::expected<file_image, std::string> of_slot(const config::live_file& f, slot_number s) const;
  std::expected<std::optional<file_change>, std::string> change_of(const config::live_file& f, slot_number to) const;
  [[nodiscard]] std::string alike() const;
  std::string what_it_says(const standing& now, const config::live_file& f, const std::vector<slot_number>& same) const;
  std::string nearest_to(const standing& now, const config::live_file& f) const;

  const std::vector<config::live_file>& files_;
  const std::vector<config::slot>& slots_;
};

std::expected<standing, std::string> site_switch::stands(const config::live_file& f) {
  auto here = read_image(f.live);
  if (!here) return std::unexpected(here.error());
  standing now{.here = *here, .path = f.live, .by_link = false, .said = {}};
  if (here->is != file_image::kind::link) {
    now.said = std::move(*here);
    return now;
  }
  const auto real = leads_to(f.live);
  if (!real) {
    struct stat behind{};
    if (::stat(f.live.c_str(), &behind) != 0 && errno != ENOENT) return std::unexpected(cant("follow the link", f.live, errno));
    now.by_link = true;
    return now;
  }
  now.by_link = std::ranges::any_of(f.of_slots, [&](const std::string& site) { return leads_to(site) == real; });
  if (!now.by_link) now.path = *real;
  auto behind = read_image(*real);
  if (!behind) return std::unexpected(behind.error());
  now.said = std::move(*behind);
  return now;
}

/// As strict as what it is for: these bytes are about to become the live file's.
std::expected<file_image, std::string> site_switch::of_slot(const config::live_file& f, slot_number s) const {
  const std::string& site = f.of_slots.at(s);
  auto read = read_image(site);
  if (!read) return read;
  if (read->is == file_image::kind::absent)
    return std::unexpected(fmt::format("slot {}'s site file {} does not exist: make it, or name the right one", slots_[s].name, site));
  if (read->is == file_image::kind::link) {
    const auto real = leads_to(site);
    return std::unexpected(real ? fmt::format("slot {}'s site file {} is a link, which could be swapped: name what it leads to, {}",
                                              slots_[s].name, site, *real)
                                : fmt::format("slot {}'s site file {} is a link to {}, which leads nowhere: make that file", slots_[s].name,
                                              site, read->target));
  }
  if (says_nothing(read->bytes))
    return std::unexpected(fmt::format(
        "slot {}'s site file {} is empty but for blanks and comments, and nginx would serve nothing by it: write the slot's site there",
        slots_[s].name, site));
  const auto live = leads_to(f.live);
  struct stat itself{};
  if (live && live == leads_to(site) && ::lstat(f.live.c_str(), &itself) == 0 && !S_ISLNK(itself.st_mode))
    return std::unexpected(
        fmt::format("{} is slot {}'s own site file, which a switch would overwrite: give the slot a copy of its own and name that", f.live,
                    slots_[s].name));
  return read;
}

std::string site_switch::what_it_says(const standing& now, const config::live_file& f, const std::vector<slot_number>& same) const {
  if (now.here.is == file_image::kind::absent) return fmt::format("{} does not exist", f.live);
  if (now.said.is == file_image::kind::absent) return fmt::format("{} is a link to {}, which leads nowhere", f.live, now.here.target);
  if (same.empty()) return fmt::format("{} says what no slot's file says", f.live);
  std::vector<std::string> whose;
  for (const slot_number s : same) whose.push_back(fmt::format("{}'s", slots_[s].name));
  return fmt::format("{} says {}", f.live, listed(whose));
}

/// Which slot's file a live file that is none of them is nearest to, where it differs from it, and how it is made the same. One that
/// resembles none, or several alike, is no slot's rather than another's.
std::string site_switch::nearest_to(const standing& now, const config::live_file& f) const {
  struct candidate {
    std::string slot, site, bytes;
    likeness how;
  };
  std::vector<candidate> all;
  for (slot_number s = 0; s < slots_.size(); ++s) {
    std::string resolved;
    auto site = read_behind(f.of_slots.at(s), resolved);
    if (!site || site->is != file_image::kind::regular) continue;
    const likeness how = likeness_of(now.said.bytes, site->bytes);
    all.push_back({slots_[s].name, f.of_slots.at(s), std::move(site->bytes), how});
  }
  if (all.empty()) return {};
  const auto makes_it = [&](const candidate& c) {
    return fmt::format("`{}` makes it {}'s", as_typed(std::array<std::string, 3>{"cp", c.site, f.live}), c.slot);
  };
  const bool resembles = std::ranges::any_of(all, [](const candidate& c) { return c.how.common > 0; });
  const auto apart = [](const candidate& c) { return c.how.apart; };
  const candidate& first = *std::ranges::min_element(all, {}, apart);
  if (resembles && std::ranges::count(all, first.how.apart, apart) == 1)
    return fmt::format("{} is nearest to {}'s {}: {}; {}", f.live, first.slot, first.site, first_difference(now.said.bytes, first.bytes),
                       makes_it(first));
  std::vector<std::string> files;
  std::vector<std::string> ways;
  for (const candidate& c : all) {
    files.push_back(fmt::format("{}'s {}", c.slot, c.site));
    ways.push_back(makes_it(c));
  }
  return fmt::format("{} {} {}; {}", f.live, resembles ? "is as near to each of" : "has no line of", fmt::join(files, " and "),
                     fmt::join(ways, ", "));
}

intent site_switch::names() {
  std::vector<bool> possible(slots_.size(), true);
  std::vector<std::string> told;
  std::vector<std::string> nearest;
  std::string unread;
  intent found;
  for (const config::live_file& f : files_) {
    const auto now = stands(f);
    if (!now) return {.is = intent::kind::unreadable, .slot = 0, .says = now.error(), .changed = {}};
    std::vector<slot_number> same;
    std::string missing;
    for (slot_number s = 0; s < slots_.size(); ++s) {
      std::string resolved;
      const auto site = read_behind(f.of_slots.at(s), resolved);
      if (!site) missing = site.error();
      if (site && now->said.is == file_image::kind::regular && site->says_the_same_as(now->said))
        same.push_back(s);
      else
        possible[s] = false;
    }
    if (same.empty() && now->said.is == file_image::kind::regular) unread = unread.empty() ? missing : unread;
    told.push_back(what_it_says(*now, f, same));
    if (same.empty() && now->said.is == file_image::kind::regular) add_once(nearest, nearest_to(*now, f));
    found.changed = std::max({found.changed, changed_at(f.live), changed_at(now->path)});
  }
  const auto named = std::ranges::count(possible, true);
  if (named == 1) {
    found.is = intent::kind::names;
    found.slot = static_cast<slot_number>(std::ranges::find(possible, true) - possible.begin());
    return found;
  }
  // It may say just what the file says that can't be read.
  found.is = named == 0 && !unread.empty() ? intent::kind::unreadable : intent::kind::neither;
  found.says = found.is == intent::kind::unreadable ? unread : fmt::format("{}", fmt::join(told, "; "));
  if (found.is == intent::kind::neither) found.nearest = fmt::format("{}", fmt::join(nearest, "; "));
  return found;
}

std::string site_switch::alike() const {
  for (slot_number a = 0; a < slots_.size(); ++a) {
    for (slot_number b = a + 1; b < slots_.size(); ++b) {
      const bool same = std::ranges::all_of(files_, [&](const config::live_file& f) {
        const auto one = read_image(f.of_slots.at(a));
        const auto other = read_image(f.of_slots.at(b));
        return one && other && one->is == file_image::kind::regular && one->says_the_same_as(*other);
      });
      if (same && !files_.empty())
        return fmt::format(
            "the site files of {} and {} say the same ({} and {}), so none of them names one slot: let each say its own upstream",
            slots_[a].name, slots_[b].name, files_[0].of_slots.at(a), files_[0].of_slots.at(b));
    }
  }
  return "";
}

std::expected<std::optional<file_change>, std::string> site_switch::change_of(const config::live_file& f, slot_number to) const {
  auto now = stands(f);
  if (!now) return std::unexpected(now.error());
  auto site = of_slot(f, to);
  if (!site) return std::unexpected(site.error());
  if (now->said.says_the_same_as(*site)) return std::nullopt;
  file_change c{.path = now->path, .before = now->by_link ? now->here : now->said, .after = {}};
  if (now->by_link) {
    auto target = retarget(f.live, now->here.target, f.of_slots.at(to));
    if (!target)
      return std::unexpected(fmt::format("{} is a relative link, and no relative link there leads to {}: make it an absolute one (ln -sfn)",
                                         f.live, f.of_slots.at(to)));
    c.after = now->here;
    c.after.target = std::move(*target);
    return c;
  }
  c.after = now->said.is == file_image::kind::regular ? now->said : *site;
  c.after.bytes = std::move(site->bytes);
  return c;
}

std::expected<std::vector<change>, std::string> site_switch::changes_to(slot_number to) {
  if (std::string same = alike(); !same.empty()) return std::unexpected(std::move(same));
  std::vector<change> changes;
  for (const config::live_file& f : files_) {
    auto c = change_of(f, to);
    if (!c) return std::unexpected(c.error());
    if (*c) changes.emplace_back(std::move(**c));
  }
  return changes;
}

std::vector<std::string> site_switch::obstacles() {
  std::vector<std::string> found;
  add_once(found, alike());
  for (const config::live_file& f : files_) {
    for (slot_number s = 0; s < slots_.size(); ++s) {
      if (const auto site = of_slot(f, s); !site) add_once(found, site.error());
    }
    const auto now = stands(f);
    add_once(found, now ? obstacle_to_write(now->path) : now.error());
  }
  return found;
}

std::vector<std::string> site_switch::notes() {
  std::vector<std::string> found;
  for (const config::live_file& f : files_) {
    const auto now = stands(f);
    if (!now) continue;
    if (now->said.is == file_image::kind::absent) add_once(found, what_it_says(*now, f, {}) + ": a switch makes it");
    add_once(found, second_name(now->path));
  }
  return found;
}

}  // namespace

std::unique_ptr<slot_switch> make_site_switch(const config::configuration& configured) {
  return std::make_unique<site_switch>(configured);
}

}  // namespace flipback::rollback
