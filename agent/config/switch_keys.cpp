#include "agent/config/switch_keys.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace flipback::config {

namespace {

constexpr std::array kinds{switch_kind::site, switch_kind::text, switch_kind::link, switch_kind::command};

bool is_of_tables(const settings::node* several) {
  const auto* items = several == nullptr ? nullptr : std::get_if<settings::array>(&several->value);
  return items != nullptr &&
         std::ranges::any_of(*items, [](const settings::node& n) { return std::holds_alternative<settings::table>(n.value); });
}

bool replaces_files(switch_kind k) {
  return k == switch_kind::site || k == switch_kind::text;
}

}  // namespace

switch_keys::switch_keys(settings::section& deployment, std::vector<std::pair<std::string, settings::section>>& slots) {
  for (const std::string_view name : {"live_sites", "live_site"}) {
    if (deployment.has(name)) live_file_ = {name, &deployment};
  }
  if (is_of_tables(deployment.raw("live_sites"))) note(switch_kind::site, "live_sites", deployment);
  if (deployment.has("live_link")) note(switch_kind::link, "live_link", deployment);
  if (deployment.has("active")) note(switch_kind::command, "active", deployment);
  for (auto& [unused, slot] : slots) {
    if (slot.has("site")) note(switch_kind::site, "site", slot);
    if (slot.has("text")) note(switch_kind::text, "text", slot);
    if (slot.has("target")) note(switch_kind::link, "target", slot);
    if (slot.has("switch")) note(switch_kind::command, "switch", slot);
  }
}

void switch_keys::note(switch_kind of, std::string_view name, settings::section& in) {
  key& first = first_.at(static_cast<std::size_t>(of));
  if (first.in == nullptr) first = {name, &in};
}

bool switch_keys::none() const {
  return !live_file() && std::ranges::none_of(kinds, [this](switch_kind k) { return any(k); });
}

bool switch_keys::mixed() const {
  const auto found = std::ranges::count_if(kinds, [this](switch_kind k) { return any(k); });
  return found > 1 || (found == 1 && live_file() && !replaces_files(kind()));
}

switch_kind switch_keys::kind() const {
  const auto* const first = std::ranges::find_if(kinds, [this](switch_kind k) { return any(k); });
  return first == kinds.end() ? switch_kind::site : *first;
}

void switch_keys::report_mixed() const {
  const bool file_first = live_file() && !any(switch_kind::site) && !any(switch_kind::text);
  const key& first = file_first ? live_file_ : at(kind());
  for (const switch_kind k : kinds) {
    const key& found = at(k);
    if (found.in == nullptr || &found == &first) continue;
    found.in->report(found.name, fmt::format("belongs to another switch than {}; expected the keys of one: {}", shown(first), ways));
  }
}

std::string switch_keys::name_of_first(switch_kind of) const {
  return shown(any(of) ? at(of) : live_file_);
}

std::string switch_keys::shown(const key& k) {
  return k.in->path() == "deployment" ? std::string(k.name) : fmt::format("{}.{}", k.in->path(), k.name);
}

}  // namespace flipback::config
