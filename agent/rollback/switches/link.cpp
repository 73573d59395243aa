#include "agent/rollback/file_image.hpp"
#include "agent/rollback/slot_switch.hpp"
#include "agent/rollback/switches/files.hpp"
#include "agent/rollback/switches/links.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <optional>

namespace flipback::rollback {

namespace {

using deployment::intent;

/// A link and where it leads for each slot, as it is to be written.
struct link_of_slots {
  std::string live;
  std::vector<std::string> targets;
  std::vector<std::string> names;
};

class link_switch final : public file_switch {
 public:
  link_switch(link_of_slots link, bool by_helper) : file_switch(false, by_helper), link_(std::move(link)) {}

  [[nodiscard]] intent names() override;
  [[nodiscard]] std::expected<std::vector<change>, std::string> changes_to(slot_number to) override;
  [[nodiscard]] std::vector<std::string> obstacles() override;
  [[nodiscard]] std::vector<std::string> notes() override { return {}; }
  [[nodiscard]] std::vector<std::string> locked_beside() const override { return {link_.live}; }

 protected:
  [[nodiscard]] std::vector<std::string> changed_paths() const override { return {link_.live}; }

 private:
  [[nodiscard]] std::string written(slot_number s) const {
    return std::filesystem::path(seen_from(link_.live, link_.targets[s])).lexically_normal().string();
  }
  [[nodiscard]] std::optional<std::string> resolved(slot_number s) const { return leads_to(seen_from(link_.live, link_.targets[s])); }
  [[nodiscard]] std::optional<slot_number> slot_of(const std::string& target) const;
  [[nodiscard]] std::string alike() const;
  [[nodiscard]] std::string missing(slot_number s) const;

  link_of_slots link_;
};

/// As it is written counts first: a slot's own target may be a link, and lead anywhere.
std::optional<slot_number> link_switch::slot_of(const std::string& target) const {
  const std::string says = std::filesystem::path(seen_from(link_.live, target)).lexically_normal().string();
  for (slot_number s = 0; s < link_.targets.size(); ++s) {
    if (link_.targets[s] == target || written(s) == says) return s;
  }
  const auto real = leads_to(seen_from(link_.live, target));
  for (slot_number s = 0; real && s < link_.targets.size(); ++s) {
    if (resolved(s) == real) return s;
  }
  return std::nullopt;
}

std::string link_switch::alike() const {
  for (slot_number a = 0; a < link_.targets.size(); ++a) {
    for (slot_number b = a + 1; b < link_.targets.size(); ++b) {
      const auto real = resolved(a);
      if (written(a) == written(b) || (real && real == resolved(b)))
        return fmt::format("the targets of {} and {}, {} and {}, lead to the same, so the link names no one slot: give each its own",
                           link_.names[a], link_.names[b], link_.targets[a], link_.targets[b]);
    }
  }
  return "";
}

std::string link_switch::missing(slot_number s) const {
  if (resolved(s)) return "";
  return fmt::format("slot {}'s target {}, seen from {}, leads nowhere: make it, or name the right one", link_.names[s], link_.targets[s],
                     link_.live);
}

intent link_switch::names() {
  const auto now = read_image(link_.live);
  if (!now) return {.is = intent::kind::unreadable, .slot = 0, .says = now.error(), .changed = {}};
  intent found{.is = intent::kind::neither, .slot = 0, .says = {}, .changed = changed_at(link_.live)};
  if (now->is == file_image::kind::absent) found.says = fmt::format("{} does not exist", link_.live);
  if (now->is == file_image::kind::regular) found.says = fmt::format("{} is a file, where a link was expected", link_.live);
  if (now->is != file_image::kind::link) return found;
  if (std::string same = alike(); !same.empty()) {
    found.says = std::move(same);
    return found;
  }
  if (const auto slot = slot_of(now->target)) {
    found.is = intent::kind::names;
    found.slot = *slot;
  } else {
    found.says = fmt::format("{} leads to {}, which is no slot's target", link_.live, now->target);
  }
  return found;
}

std::expected<std::vector<change>, std::string> link_switch::changes_to(slot_number to) {
  if (std::string same = alike(); !same.empty()) return std::unexpected(std::move(same));
  if (std::string none = missing(to); !none.empty()) return std::unexpected(std::move(none));
  auto now = read_image(link_.live);
  if (!now) return std::unexpected(now.error());
  if (now->is == file_image::kind::regular)
    return std::unexpected(fmt::format("{0} is a file, where a link was expected: move it away and make the link (ln -s {1} {0})",
                                       link_.live, link_.targets[to]));
  if (now->is == file_image::kind::link && slot_of(now->target) == to) return std::vector<change>{};
  file_change c{.path = link_.live, .before = *now, .after = *now};
  c.after.is = file_image::kind::link;
  c.after.target = link_.targets[to];
  std::vector<change> changes;
  changes.emplace_back(std::move(c));
  return changes;
}

std::vector<std::string> link_switch::obstacles() {
  std::vector<std::string> found;
  add_once(found, alike());
  for (slot_number s = 0; s < link_.targets.size(); ++s) add_once(found, missing(s));
  const auto now = read_image(link_.live);
  if (now && now->is == file_image::kind::regular)
    add_once(found, fmt::format("{} is a file, where a link was expected: move it away and make the link (ln -s)", link_.live));
  else
    add_once(found, now ? obstacle_to_write(link_.live) : now.error());
  return found;
}

}  // namespace

std::unique_ptr<slot_switch> make_link_switch(const config::configuration& configured) {
  link_of_slots link{.live = configured.deployment->live_link, .targets = {}, .names = {}};
  for (const config::slot& s : configured.slots) {
    link.targets.push_back(s.target);
    link.names.push_back(s.name);
  }
  return std::make_unique<link_switch>(std::move(link), !configured.nginx.helper.empty());
}

}  // namespace flipback::rollback
