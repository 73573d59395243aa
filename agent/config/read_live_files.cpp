#include "agent/config/read_live_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace flipback::config {

namespace {

using slot_tables = std::vector<std::pair<std::string, settings::section>>;

constexpr std::string_view a_live_site = "/etc/nginx/sites-enabled/default";

bool is_one_file(const std::string& a, const std::string& b) {
  return !a.empty() && std::filesystem::path(a).lexically_normal() == std::filesystem::path(b).lexically_normal();
}

/// How a person writes one live file with its slots' files: { live = "…/api", blue = "…/api-blue", green = "…/api-green" }.
std::string example_of(const settings::node& live, const std::vector<slot>& slots) {
  const auto* path = std::get_if<std::string>(&live.value);
  const bool plain = path != nullptr && live.written.empty();  // what the environment gave is not shown
  const std::string name = plain ? std::filesystem::path(*path).filename().string() : "default";
  std::string written = fmt::format("{{ live = {}", settings::shown(live));
  for (const slot& s : slots) written += fmt::format(", {} = \"/etc/nginx/sites-available/{}-{}\"", s.name, name, s.name);
  return written + " }";
}

/// A flip writes the live file: if it were a slot's as well, what that slot is made live with would be gone. `whose` names the slot's key.
template <typename Whose>
void check_is_no_slots(settings::section& in, std::string_view key, const live_file& read, Whose whose) {
  for (std::size_t i = 0; i < read.of_slots.size(); ++i) {
    if (!is_one_file(read.live, read.of_slots[i])) continue;
    in.report(key, fmt::format("found {}, which is {} too, and a flip would overwrite it; expected the file that nginx reads",
                               in.shown(key), whose(i)));
  }
}

live_file read_one(settings::section& each, const std::vector<slot>& slots) {
  live_file read{each.required_text("live", a_live_site), {}};
  for (const slot& s : slots) {
    read.of_slots.push_back(each.required_text(s.name, "/etc/nginx/sites-available/" + s.name));
    for (std::size_t before = 0; before + 1 < read.of_slots.size(); ++before) {
      if (!is_one_file(read.of_slots.back(), read.of_slots[before])) continue;
      each.report(s.name, fmt::format("found {}, which is {}'s too; expected one of its own", each.shown(s.name), slots[before].name));
    }
  }
  check_is_no_slots(each, "live", read, [&](std::size_t i) { return slots[i].name + "'s"; });
  each.finish();
  return read;
}

std::vector<live_file> read_each_with_its_own(settings::section& from, slot_tables& tables, const std::vector<slot>& slots) {
  std::vector<live_file> read;
  for (settings::section& each : from.items("live_sites")) {
    live_file one = read_one(each, slots);
    const bool twice = std::ranges::any_of(read, [&](const live_file& earlier) { return is_one_file(one.live, earlier.live); });
    if (twice) each.report("live", fmt::format("found {}, which an earlier one is too; expected each file once", each.shown("live")));
    read.push_back(std::move(one));
  }
  for (auto& [name, table] : tables) {
    if (table.has("site")) table.report("site", fmt::format("live_sites gives each live file its own for {}; leave it out", name));
  }
  return read;
}

/// The one live file that the slots' `site` are for, however it is written.
std::string read_the_one(settings::section& from, const std::vector<slot>& slots) {
  if (!from.has("live_sites")) return from.required_text("live_site", a_live_site);
  const std::vector<std::string> named = from.texts("live_sites");
  if (named.empty()) from.report("live_sites", fmt::format("found no file, expected at least one such as \"{}\"", a_live_site));
  if (named.size() > 1) {
    from.report("live_sites",
                fmt::format("found {} files for one site in each slot, so that each of them would become the same; expected for "
                            "each its own: {}",
                            named.size(), example_of(std::get<settings::array>(from.raw("live_sites")->value).front(), slots)));
  }
  return named.empty() ? std::string{} : named.front();
}

}  // namespace

std::vector<live_file> read_live_files(settings::section& from, slot_tables& tables, const std::vector<slot>& slots) {
  const settings::node* several = from.raw("live_sites");
  if (several != nullptr && from.has("live_site")) from.report("live_site", "live_sites is given too; keep one of the two");
  const auto* items = several == nullptr ? nullptr : std::get_if<settings::array>(&several->value);
  const bool tables_inside = items != nullptr && std::ranges::any_of(*items, [](const settings::node& n) {
                               return std::holds_alternative<settings::table>(n.value);
                             });
  if (tables_inside) return read_each_with_its_own(from, tables, slots);
  live_file read{read_the_one(from, slots), {}};
  for (std::size_t i = 0; i < tables.size(); ++i) {
    read.of_slots.push_back(slots[i].site);
    auto& [name, table] = tables[i];
    if (!table.has("site"))
      table.report("site",
                   fmt::format("is missing, expected the file that makes {} live, such as \"/etc/nginx/sites-available/{}\"", name, name));
  }
  const std::string_view key = several == nullptr ? "live_site" : "live_sites";
  check_is_no_slots(from, key, read, [&](std::size_t i) { return fmt::format("slots.{}.site", slots[i].name); });
  return {std::move(read)};
}

}  // namespace flipback::config
