#include "agent/config/slots_differ.hpp"

#include "flipback/shown_item.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace flipback::config {

namespace {

/// One slot with its table.
struct written_slot {
  const slot* read;
  settings::section* table;
};

void check_key(const written_slot& first, const written_slot& second, std::string_view key, bool same) {
  if (!same) return;
  second.table->report(
      key, fmt::format("found {}, which is slots.{}'s too; expected one of its own", second.table->shown(key), first.read->name));
}

std::string normal(const std::string& path) {
  return std::filesystem::path(path).lexically_normal().string();
}

void check_keys(const written_slot& first, const written_slot& second) {
  const slot& a = *first.read;
  const slot& b = *second.read;
  check_key(first, second, "url", !b.url.empty() && a.url == b.url);
  check_key(first, second, "site", !b.site.empty() && normal(a.site) == normal(b.site));
  check_key(first, second, "target", !b.target.empty() && normal(a.target) == normal(b.target));
  if (!b.switched_by.empty() && a.switched_by == b.switched_by) {
    second.table->report("switch", fmt::format("is the same as slots.{}'s; expected a command of its own", a.name));
  }
}

/// The log tells slots apart by their upstreams.
void check_upstreams(const written_slot& first, const written_slot& second) {
  if (first.read->url == second.read->url) return;  // said already
  for (const std::string& upstream : second.read->upstreams) {
    if (std::ranges::find(first.read->upstreams, upstream) == first.read->upstreams.end()) continue;
    second.table->report("upstreams", fmt::format("\"{}\" is among slots.{}'s too, and the log could not tell their requests apart",
                                                  upstream, first.read->name));
  }
}

/// A piece as it is written, without what the environment gave.
std::string shown_piece(const written_slot& of, std::size_t number) {
  return settings::shown_item(*of.table, "text", number);
}

/// Each piece stands for one place in the live file. One that is found within another, of whichever slot, would be replaced there as well.
void check_piece(const written_slot& of, std::size_t number, const written_slot& with, std::size_t other) {
  const std::string& one = of.read->text[number];
  const std::string& two = with.read->text[other];
  const auto blank = [](const std::string& piece) { return piece.find_first_not_of(" \t\r\n") == std::string::npos; };
  if (blank(one) || blank(two) || (!two.contains(one) && !one.contains(two))) return;
  if (one == two) {
    of.table->report("text", fmt::format("found {}, which is among slots.{}'s before it; expected pieces that each stand once",
                                         shown_piece(of, number), with.read->name));
    return;
  }
  of.table->report("text", fmt::format("found {} beside {} of slots.{}, of which the one occurs within the other; expected more of what "
                                       "stands around it, so that each is found where it alone stands",
                                       shown_piece(of, number), shown_piece(with, other), with.read->name));
}

/// A slot's pieces against its own before them, and against another's.
void check_pieces(const written_slot& with, const written_slot& of) {
  const bool own = with.read == of.read;
  for (std::size_t i = 0; i < of.read->text.size(); ++i) {
    for (std::size_t other = 0; other < (own ? i : with.read->text.size()); ++other) check_piece(of, i, with, other);
  }
}

}  // namespace

void check_slots_differ(std::vector<std::pair<std::string, settings::section>>& tables, const std::vector<slot>& slots) {
  for (std::size_t second = 0; second < tables.size(); ++second) {
    const written_slot later{&slots[second], &tables[second].second};
    check_pieces(later, later);
    for (std::size_t first = 0; first < second; ++first) {
      const written_slot earlier{&slots[first], &tables[first].second};
      check_keys(earlier, later);
      check_upstreams(earlier, later);
      check_pieces(earlier, later);
    }
  }
}

}  // namespace flipback::config
