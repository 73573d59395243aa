#include "agent/cli/check_selection.hpp"

#include "flipback/quoted.hpp"

#include "agent/config/slot_twins.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace flipback::cli {

namespace {

using words = std::vector<std::string>;

/// Whether one of the words is the name of that line, or a tag of it.
bool name_it(const words& given, std::string_view name, const words& tags = {}) {
  return std::ranges::any_of(given, [&](const std::string& w) { return w == name || std::ranges::find(tags, w) != tags.end(); });
}

bool is_chosen(const check_options& by, std::string_view name, const words& tags = {}) {
  return (by.only.empty() || name_it(by.only, name, tags)) && !name_it(by.skip, name, tags);
}

/// The lines that are no probe's.
words further_lines(const selection& of) {
  words lines;
  if (of.health_of) lines.push_back(of.health_of->name);
  if (of.rollback) lines.emplace_back(rollback_line);
  return lines;
}

bool selects(const std::string& word, const config::configuration& in, const words& lines) {
  const auto is_named = [&](const config::probe_entry& p) { return name_it({word}, p.name, p.tags); };
  return std::ranges::find(lines, word) != lines.end() || std::ranges::any_of(in.probes, is_named);
}

/// A word that selects nothing is a mistake, and no empty selection.
std::optional<std::string> unknown_in(const words& given, std::string_view option, const selection& of) {
  words all = further_lines(of);
  if (of.whole->deployment && !of.rollback) all.emplace_back(rollback_line);
  for (const std::string& word : given) {
    if (selects(word, *of.whole, all)) continue;
    for (const config::probe_entry& p : of.whole->probes) all.push_back(p.name);
    const std::string meant = settings::nearest(word, all);
    return fmt::format("{}: no probe or tag is called {}{}", option, word, meant.empty() ? "" : fmt::format("; did you mean {}?", meant));
  }
  return std::nullopt;
}

std::optional<std::string> left_out_by_the_slot(const check_options& options, const selection& of) {
  if (!of.health_of) return std::nullopt;
  for (const std::string& word : options.only) {
    if (selects(word, of.chosen, further_lines(of))) continue;
    return fmt::format("--only: {} does not tell of {} alone, and is not asked with --slot: leave one of the two out", word,
                       of.health_of->name);
  }
  return std::nullopt;
}

std::expected<config::slot, std::string> slot_named(const std::string& name, const config::configuration& in) {
  words known;
  for (const config::slot& s : in.slots) {
    if (s.name == name) return s;
    known.push_back(s.name);
  }
  if (!in.deployment)
    return std::unexpected(fmt::format("found --slot {}, and no slots in {}: expected a configuration with [deployment] and [slots.{}]",
                                       in_quotes(name), in.file.empty() ? "the environment" : in.file, name));
  const std::string meant = settings::nearest(name, known);
  return std::unexpected(fmt::format("found --slot {}, which is no slot, expected {}{}", in_quotes(name), fmt::join(known, " or "),
                                     meant.empty() ? "" : fmt::format("; did you mean {}?", meant)));
}

}  // namespace

std::expected<selection, std::string> select(const config::configuration& configured, const check_options& options) {
  selection made{&configured, configured, std::nullopt, false};
  if (options.slot.empty()) {
    made.rollback = configured.deployment.has_value();
  } else {
    auto slot = slot_named(options.slot, configured);
    if (!slot) return std::unexpected(std::move(slot.error()));
    config::narrow_to(*slot, made.chosen);
    made.health_of = std::move(*slot);
  }
  for (const auto& [option, given] : {std::pair{"--only", &options.only}, std::pair{"--skip", &options.skip}}) {
    if (auto wrong = unknown_in(*given, option, made)) return std::unexpected(std::move(*wrong));
  }
  if (auto wrong = left_out_by_the_slot(options, made)) return std::unexpected(std::move(*wrong));
  std::erase_if(made.chosen.probes, [&](const config::probe_entry& p) { return !is_chosen(options, p.name, p.tags); });
  if (made.health_of && !is_chosen(options, made.health_of->name)) made.health_of.reset();
  made.rollback = made.rollback && is_chosen(options, rollback_line);
  if (made.chosen.probes.empty() && further_lines(made).empty()) return std::unexpected("no probe is left to check");
  return made;
}

}  // namespace flipback::cli
