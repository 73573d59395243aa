#include "agent/init/find_text.hpp"

#include "agent/init/nginx_sites.hpp"
#include "agent/init/pairs.hpp"
#include "agent/rollback/switches/text_pieces.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace flipback::init {

namespace {

using config::switch_kind;
using all_found = std::vector<switch_seen>;

/// In one file the one piece stands, and the other does not.
void add_in_text(const nginx::dumped_file& live, slot_seen one, slot_seen other, std::string says, all_found& to) {
  const std::array<rollback::pieces_of_slot, 2> pieces{{{one.name, {one.text}}, {other.name, {other.text}}}};
  if (!rollback::problems_with(pieces).empty()) return;
  if (rollback::occurrences_of(one.text, live.text).empty() || !rollback::occurrences_of(other.text, live.text).empty()) return;
  to.push_back({.kind = switch_kind::text, .live = {live.path}, .slots = {std::move(one), std::move(other)}, .says = std::move(says)});
}

/// How many bytes at the beginning of a text are these words and a semicolon, with whatever quotes and blanks; 0: it says something else.
std::size_t size_of_directive(std::string_view text, std::span<const std::string> words) {
  std::string_view left = text;
  const auto skip_blanks = [&] { left.remove_prefix(std::min(left.find_first_not_of(" \t\r\n"), left.size())); };
  for (const std::string& word : words) {
    if (&word != &words.front() && left.find_first_not_of(" \t\r\n") == 0) return 0;
    skip_blanks();
    const std::string quote = left.starts_with('"') || left.starts_with('\'') ? std::string(left.substr(0, 1)) : "";
    const std::string whole = quote + word + quote;
    if (!left.starts_with(whole)) return 0;
    left.remove_prefix(whole.size());
  }
  skip_blanks();
  return left.starts_with(';') ? text.size() - left.size() + 1 : 0;
}

/// The ways in which a file writes a directive of these words: `default blue;`, `"default"  blue;`.
std::vector<std::string> spellings_of(std::span<const std::string> words, std::string_view text) {
  std::vector<std::string> found;
  for (std::size_t at = text.find(words.front()); at != std::string_view::npos; at = text.find(words.front(), at + 1)) {
    const bool is_quoted = at > 0 && (text[at - 1] == '"' || text[at - 1] == '\'');
    const std::size_t begin = is_quoted ? at - 1 : at;
    const std::string piece(text.substr(begin, size_of_directive(text.substr(begin), words)));
    if (!piece.empty() && std::ranges::find(found, piece) == found.end() && !rollback::occurrences_of(piece, text).empty())
      found.push_back(piece);
  }
  return found;
}

/// What a directive says of a pool by its name, as the file has it; none: it says nothing of it. nginx takes a quoted "default" of a map
/// for the default, too, and `\default` for a value.
std::vector<std::string> pieces_with(const nginx::directive& d, const std::string& pool, std::string_view text) {
  const std::vector<std::string>& w = d.words;
  const bool is_named = (w.size() == 2 && w[0] == "default" && w[1] == pool) || (w.size() == 3 && w[0] == "set" && w[2] == pool);
  if (is_named) return spellings_of(w, text);
  if (w.size() == 2 && w[0].ends_with("_pass")) {
    for (const char* scheme : {"http://", "https://", "grpc://"}) {
      const std::string piece = scheme + pool;
      if (w[1] == piece || w[1].starts_with(piece + "/")) return {piece};
    }
  }
  return {};
}

const upstream_group* group(const layout& of, const std::string& name) {
  const auto at = std::ranges::find(of.read().upstreams, name, &upstream_group::name);
  return at == of.read().upstreams.end() ? nullptr : &*at;
}

}  // namespace

all_found by_include(const layout& of) {
  all_found all;
  const std::string root = of.files().empty() ? "" : folder_of(of.files().front().path);
  for (const nginx::dumped_file& file : of.files()) {
    for (const nginx::directive& d : nginx::parse_directives(file.text)) {
      if (d.words.size() != 2 || d.words.front() != "include" || d.words[1].contains('*')) continue;
      const auto other = counterpart(d.words[1]);
      const std::string other_place = other ? seen_from(root, *other) : "";
      const std::string other_text = other ? of.text_at(other_place) : "";
      if (other_text.empty() || of.is_read(other_place)) continue;
      slot_seen live = of.slot_with(slot_in(d.words[1]), of.text_at(seen_from(root, d.words[1])));
      slot_seen its_other = of.slot_with(slot_in(*other), other_text);
      live.text = d.words[1];
      its_other.text = *other;
      add_in_text(file, std::move(live), std::move(its_other),
                  fmt::format("An include: {} includes {}, and {} is there too.", file.path, d.words[1], *other), all);
    }
  }
  return all;
}

all_found by_pool(const layout& of) {
  all_found all;
  for (const nginx::dumped_file& file : of.files()) {
    for (const nginx::directive& d : nginx::parse_directives(file.text)) {
      for (const upstream_group& pool : of.read().upstreams) {
        const auto other = counterpart(pool.name);
        const upstream_group* const others = other ? group(of, *other) : nullptr;
        const std::vector<std::string> pieces = others == nullptr ? std::vector<std::string>{} : pieces_with(d, pool.name, file.text);
        if (pieces.empty()) continue;
        const std::size_t before = all.size();
        slot_seen one{.name = slot_in(pool.name), .text = pieces.front(), .addresses = pool.servers};
        slot_seen two{.name = slot_in(*other), .text = *counterpart(pieces.front()), .addresses = others->servers};
        add_in_text(file, std::move(one), std::move(two),
                    fmt::format("An upstream's name: {} says {}, and there is an upstream {} too.", file.path, pieces.front(), *other),
                    all);
        if (all.size() > before && pieces.size() > 1)
          all.back().doubt = fmt::format("{} says it in {} ways ({}), and only the first would be changed: write them all in one way.",
                                         file.path, pieces.size(), fmt::join(pieces, " "));
      }
    }
  }
  return all;
}

all_found by_address(const layout& of) {
  all_found all;
  for (const nginx::dumped_file& file : of.files()) {
    const std::vector<std::string> now = addresses_in(file.text, {});
    std::vector<std::string> spare = addresses_in_comments(file.text);
    std::erase_if(spare, [&](const std::string& a) { return std::ranges::find(now, a) != now.end(); });
    if (now.size() != 1 || spare.size() != 1) continue;
    slot_seen one{.text = now.front(), .addresses = now};
    slot_seen two{.text = spare.front(), .addresses = spare};
    one.name = now < spare ? "blue" : "green";
    two.name = now < spare ? "green" : "blue";
    add_in_text(file, std::move(one), std::move(two),
                fmt::format("An address: {} passes requests on to {}, and has {} in a comment.", file.path, now.front(), spare.front()),
                all);
  }
  return all;
}

}  // namespace flipback::init
