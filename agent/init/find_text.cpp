#include "agent/init/find_text.hpp"

#include "agent/init/nginx_sites.hpp"
#include "agent/init/pairs.hpp"
#include "agent/rollback/switches/text_pieces.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace flipback::init {

namespace {

using config::switch_kind;
using found_or_not = std::optional<switch_seen>;

/// In one file the one piece stands, and the other does not.
found_or_not in_text(const nginx::dumped_file& live, slot_seen one, slot_seen other, std::string says) {
  const std::array<rollback::pieces_of_slot, 2> pieces{{{one.name, {one.text}}, {other.name, {other.text}}}};
  if (!rollback::problems_with(pieces).empty()) return std::nullopt;
  if (rollback::occurrences_of(one.text, live.text).empty() || !rollback::occurrences_of(other.text, live.text).empty())
    return std::nullopt;
  return switch_seen{.kind = switch_kind::text, .live = {live.path}, .slots = {std::move(one), std::move(other)}, .says = std::move(says)};
}

/// What a directive says of a pool by its name; empty: nothing.
std::string piece_with(const nginx::directive& d, const std::string& pool) {
  const std::vector<std::string>& w = d.words;
  if (w.size() == 2 && w[0] == "default" && w[1] == pool) return "default " + pool + ";";
  if (w.size() == 3 && w[0] == "set" && w[2] == pool) return "set " + w[1] + " " + pool + ";";
  if (w.size() == 2 && w[0].ends_with("_pass")) {
    for (const char* scheme : {"http://", "https://", "grpc://"}) {
      const std::string piece = scheme + pool;
      if (w[1] == piece || w[1].starts_with(piece + "/")) return piece;
    }
  }
  return {};
}

const upstream_group* group(const layout& of, const std::string& name) {
  const auto at = std::ranges::find(of.read().upstreams, name, &upstream_group::name);
  return at == of.read().upstreams.end() ? nullptr : &*at;
}

}  // namespace

found_or_not by_include(const layout& of) {
  for (const nginx::dumped_file& file : of.files()) {
    for (const nginx::directive& d : nginx::parse_directives(file.text)) {
      if (d.words.size() != 2 || d.words.front() != "include" || d.words[1].contains('*')) continue;
      const auto other = counterpart(d.words[1]);
      const std::string root = folder_of(of.files().front().path);
      const std::string other_text = other ? of.text_at(seen_from(root, *other)) : "";
      if (other_text.empty()) continue;
      slot_seen live = of.slot_with(slot_in(d.words[1]), of.text_at(seen_from(root, d.words[1])));
      slot_seen its_other = of.slot_with(slot_in(*other), other_text);
      live.text = d.words[1];
      its_other.text = *other;
      if (auto found = in_text(file, std::move(live), std::move(its_other),
                               fmt::format("An include: {} includes {}, and {} is there too.", file.path, d.words[1], *other)))
        return found;
    }
  }
  return std::nullopt;
}

found_or_not by_pool(const layout& of) {
  for (const nginx::dumped_file& file : of.files()) {
    for (const nginx::directive& d : nginx::parse_directives(file.text)) {
      for (const upstream_group& pool : of.read().upstreams) {
        const std::string piece = piece_with(d, pool.name);
        const auto other = piece.empty() ? std::nullopt : counterpart(pool.name);
        const upstream_group* const others = other ? group(of, *other) : nullptr;
        if (others == nullptr) continue;
        slot_seen one{.name = slot_in(pool.name), .text = piece, .addresses = pool.servers};
        slot_seen two{.name = slot_in(*other), .text = *counterpart(piece), .addresses = others->servers};
        if (auto found = in_text(file, std::move(one), std::move(two),
                                 fmt::format("An upstream's name: {} says {}, and there is an upstream {} too.", file.path, piece, *other)))
          return found;
      }
    }
  }
  return std::nullopt;
}

found_or_not by_address(const layout& of) {
  for (const nginx::dumped_file& file : of.files()) {
    const std::vector<std::string> now = addresses_in(file.text, {});
    std::vector<std::string> spare = addresses_in_comments(file.text);
    std::erase_if(spare, [&](const std::string& a) { return std::ranges::find(now, a) != now.end(); });
    if (now.size() != 1 || spare.size() != 1) continue;
    slot_seen one{.text = now.front(), .addresses = now};
    slot_seen two{.text = spare.front(), .addresses = spare};
    one.name = now < spare ? "blue" : "green";
    two.name = now < spare ? "green" : "blue";
    if (auto found = in_text(
            file, std::move(one), std::move(two),
            fmt::format("An address: {} passes requests on to {}, and has {} in a comment.", file.path, now.front(), spare.front())))
      return found;
  }
  return std::nullopt;
}

}  // namespace flipback::init
