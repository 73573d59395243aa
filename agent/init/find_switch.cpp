#include "agent/init/find_switch.hpp"

#include "agent/init/nginx_sites.hpp"
#include "agent/init/pairs.hpp"
#include "agent/rollback/switches/text_pieces.hpp"
#include "probes/nginx/dump.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <utility>

namespace flipback::init {

namespace {

using config::switch_kind;
using found_or_not = std::optional<switch_seen>;

std::string folder_of(const std::string& path) {
  return std::filesystem::path(path).parent_path().string();
}

std::string seen_from(const std::string& folder, const std::string& path) {
  return (std::filesystem::path(folder) / path).lexically_normal().string();
}

bool is_at_or_below(const std::string& path, const std::string& folder) {
  return path == folder || path.starts_with(folder + "/");
}

/// Blue comes first; without names the lower address is blue's.
void put_in_order(switch_seen& found) {
  auto& [one, other] = found.slots;
  if (one.name.empty()) {
    const bool is_first = std::pair(one.addresses.size(), one.addresses) <= std::pair(other.addresses.size(), other.addresses);
    one.name = is_first ? "blue" : "green";
    other.name = is_first ? "green" : "blue";
  }
  if (one.name == "green") std::swap(one, other);
}

/// Where each has the other's servers too, as a backup or for a share of the users, its own is the one that it names first.
void keep_own_servers(switch_seen& found) {
  auto& [one, other] = found.slots;
  const bool share = std::ranges::find_first_of(one.addresses, other.addresses) != one.addresses.end();
  if (!share || one.addresses.empty() || other.addresses.empty() || one.addresses.front() == other.addresses.front()) return;
  one.addresses.resize(1);
  other.addresses.resize(1);
}

class finder {
 public:
  finder(const nginx_seen& nginx, const rollback::nginx_configuration& read)
      : nginx_(&nginx), read_(&read), dumped_(nginx::files_in(nginx.dump)) {
    for (const nginx::dumped_file& f : dumped_) paths_.insert(f.path);
    for (const text_file& f : nginx.beside) {
      if (!paths_.contains(f.path)) unread_.push_back(f);
    }
  }

  std::expected<switch_seen, std::string> find() const {
    for (const auto& way :
         {&finder::by_link, &finder::by_site, &finder::by_include, &finder::by_pool, &finder::by_address, &finder::by_near_site}) {
      found_or_not found = std::invoke(way, *this);
      if (!found) continue;
      put_in_order(*found);
      keep_own_servers(*found);
      if (auto why = why_no_slots(*found)) return std::unexpected(*std::move(why));
      return *std::move(found);
    }
    return std::unexpected(
        "nothing in nginx's configuration shows two slots: no link, site file, include or upstream that has a twin named blue or green or "
        "with "
        "another port, and no commented-out server beside the one in use");
  }

 private:
  static std::optional<std::string> why_no_slots(const switch_seen& found) {
    const auto& [one, other] = found.slots;
    for (const slot_seen* slot : {&one, &other}) {
      if (slot->addresses.empty()) return found.says + " But where " + slot->name + "'s requests are passed on to can't be told.";
    }
    if (one.addresses == other.addresses) return found.says + " But both pass requests on to the same servers.";
    return std::nullopt;
  }

  [[nodiscard]] std::string text_at(const std::string& place) const {
    std::string all;
    for (const text_file& f : nginx_->beside) {
      if (is_at_or_below(f.path, place)) all += f.text + "\n";
    }
    return all;
  }

  [[nodiscard]] bool is_linked(const std::string& path) const {
    return std::ranges::any_of(nginx_->links, [&](const link& l) { return is_at_or_below(path, l.path); });
  }

  [[nodiscard]] slot_seen slot_with(std::string name, const std::string& text) const {
    slot_seen made;
    made.name = std::move(name);
    made.addresses = addresses_in(text, *read_);
    if (made.addresses.empty()) made.addresses = addresses_in("upstream its { " + text + "\n}", *read_);  // what is included in one
    return made;
  }

  /// The file of the other slot, and the names of both; none are told where only their addresses differ.
  struct pair_of_files {
    const text_file* other = nullptr;
    std::string name;
    std::string others_name;
  };
  [[nodiscard]] pair_of_files twin_of(const text_file& of) const {
    if (const auto path = counterpart(of.path)) {
      const auto at = std::ranges::find(unread_, *path, &text_file::path);
      if (at != unread_.end()) return {&*at, slot_in(of.path), slot_in(*path)};
    }
    std::vector<text_file> beside;
    for (const text_file& f : unread_) {
      if (folder_of(f.path) == folder_of(of.path)) beside.push_back(f);
    }
    const text_file* const twin = twin_by_address(of, beside);
    if (twin == nullptr) return {};
    return {&*std::ranges::find(unread_, twin->path, &text_file::path), "", ""};
  }

  [[nodiscard]] found_or_not by_link() const {
    for (const link& l : nginx_->links) {
      const std::string place = seen_from(folder_of(l.path), l.target);
      std::string other_target = counterpart(l.target).value_or("");
      std::string name = slot_in(l.target);
      std::string others_name = slot_in(other_target);
      std::string other_text = other_target.empty() ? "" : text_at(seen_from(folder_of(l.path), other_target));
      if (other_text.empty()) {
        const auto at = std::ranges::find(nginx_->beside, place, &text_file::path);
        const pair_of_files pair = at == nginx_->beside.end() ? pair_of_files{} : twin_of(*at);
        if (pair.other == nullptr) continue;
        other_target = (std::filesystem::path(l.target).parent_path() / std::filesystem::path(pair.other->path).filename()).string();
        other_text = pair.other->text;
        name = pair.name;
        others_name = pair.others_name;
      }
      switch_seen found{.kind = switch_kind::link, .live = {l.path}};
      found.slots = {slot_with(name, text_at(place)), slot_with(others_name, other_text)};
      found.slots[0].target = l.target;
      found.slots[1].target = other_target;
      found.says = fmt::format("A link: {} leads to {}, and {} is there too.", l.path, l.target, other_target);
      return found;
    }
    return std::nullopt;
  }

  [[nodiscard]] found_or_not by_site() const {
    switch_seen found{.kind = switch_kind::site};
    std::array<std::string, 2> texts;
    for (std::size_t i = 1; i < dumped_.size(); ++i) {
      const nginx::dumped_file& live = dumped_[i];
      if (is_linked(live.path)) continue;
      for (const text_file& file : unread_) {
        if (!say_the_same(file.text, live.text)) continue;
        const pair_of_files pair = twin_of(file);
        const bool is_others = !found.live.empty() && found.slots[0].name != pair.name;  // named in another way than the first
        if (pair.other == nullptr || is_others) continue;
        add_site(found, live.path, file, *pair.other);
        found.slots[0].name = pair.name;
        found.slots[1].name = pair.others_name;
        texts[0] += file.text + "\n";
        texts[1] += pair.other->text + "\n";
        found.says += fmt::format("{}A site file: {} says what {} says, and {} is beside that.", found.says.empty() ? "" : " ", live.path,
                                  file.path, pair.other->path);
        break;
      }
    }
    if (found.live.empty()) return std::nullopt;
    for (std::size_t i = 0; i < 2; ++i) found.slots.at(i).addresses = slot_with("", texts.at(i)).addresses;
    return found;
  }

  static void add_site(switch_seen& to, const std::string& live, const text_file& one, const text_file& other) {
    to.live.push_back(live);
    to.slots[0].sites.push_back(one.path);
    to.slots[1].sites.push_back(other.path);
  }

  /// A live file that a person has edited: it says neither slot's, and leads where one of them does.
  [[nodiscard]] found_or_not by_near_site() const {
    for (std::size_t i = 1; i < dumped_.size(); ++i) {
      const nginx::dumped_file& live = dumped_[i];
      const std::vector<std::string> now = addresses_in(live.text, *read_);
      if (is_linked(live.path) || now.empty()) continue;
      for (const text_file& file : unread_) {
        const std::string name = slot_in(file.path);
        const pair_of_files pair = name.empty() ? pair_of_files{} : twin_of(file);
        if (pair.other == nullptr || pair.name.empty()) continue;
        switch_seen found{.kind = switch_kind::site};
        found.slots = {slot_with(pair.name, file.text), slot_with(pair.others_name, pair.other->text)};
        if (found.slots[0].addresses != now) continue;
        add_site(found, live.path, file, *pair.other);
        found.says = fmt::format("A site file: {} leads where {} does, and {} is beside that.", live.path, file.path, pair.other->path);
        found.doubt = fmt::format(
            "{} says neither what {} says, nor what {} does, byte for byte: until one of them is copied there the switch "
            "names no slot.",
            live.path, file.path, pair.other->path);
        return found;
      }
    }
    return std::nullopt;
  }

  /// In one file the one piece stands, and the other does not.
  static found_or_not in_text(const nginx::dumped_file& live, slot_seen one, slot_seen other, std::string says) {
    const std::array<rollback::pieces_of_slot, 2> pieces{{{one.name, {one.text}}, {other.name, {other.text}}}};
    if (!rollback::problems_with(pieces).empty()) return std::nullopt;
    if (rollback::occurrences_of(one.text, live.text).empty() || !rollback::occurrences_of(other.text, live.text).empty())
      return std::nullopt;
    return switch_seen{
        .kind = switch_kind::text, .live = {live.path}, .slots = {std::move(one), std::move(other)}, .says = std::move(says)};
  }

  [[nodiscard]] found_or_not by_include() const {
    for (const nginx::dumped_file& file : dumped_) {
      for (const nginx::directive& d : nginx::parse_directives(file.text)) {
        if (d.words.size() != 2 || d.words.front() != "include" || d.words[1].contains('*')) continue;
        const auto other = counterpart(d.words[1]);
        const std::string root = folder_of(dumped_.front().path);
        const std::string other_text = other ? text_at(seen_from(root, *other)) : "";
        if (other_text.empty()) continue;
        slot_seen live = slot_with(slot_in(d.words[1]), text_at(seen_from(root, d.words[1])));
        slot_seen its_other = slot_with(slot_in(*other), other_text);
        live.text = d.words[1];
        its_other.text = *other;
        if (auto found = in_text(file, std::move(live), std::move(its_other),
                                 fmt::format("An include: {} includes {}, and {} is there too.", file.path, d.words[1], *other)))
          return found;
      }
    }
    return std::nullopt;
  }

  /// What a directive says of a pool by its name; empty: nothing.
  static std::string piece_with(const nginx::directive& d, const std::string& pool) {
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

  [[nodiscard]] const upstream_group* group(const std::string& name) const {
    const auto at = std::ranges::find(read_->upstreams, name, &upstream_group::name);
    return at == read_->upstreams.end() ? nullptr : &*at;
  }

  [[nodiscard]] found_or_not by_pool() const {
    for (const nginx::dumped_file& file : dumped_) {
      for (const nginx::directive& d : nginx::parse_directives(file.text)) {
        for (const upstream_group& pool : read_->upstreams) {
          const std::string piece = piece_with(d, pool.name);
          const auto other = piece.empty() ? std::nullopt : counterpart(pool.name);
          const upstream_group* const others = other ? group(*other) : nullptr;
          if (others == nullptr) continue;
          slot_seen one{.name = slot_in(pool.name), .text = piece, .addresses = pool.servers};
          slot_seen two{.name = slot_in(*other), .text = *counterpart(piece), .addresses = others->servers};
          if (auto found =
                  in_text(file, std::move(one), std::move(two),
                          fmt::format("An upstream's name: {} says {}, and there is an upstream {} too.", file.path, piece, *other)))
            return found;
        }
      }
    }
    return std::nullopt;
  }

  [[nodiscard]] found_or_not by_address() const {
    for (const nginx::dumped_file& file : dumped_) {
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

  const nginx_seen* nginx_;
  const rollback::nginx_configuration* read_;
  std::vector<nginx::dumped_file> dumped_;
  std::set<std::string> paths_;
  std::vector<text_file> unread_;  ///< of what stands beside, what nginx does not read
};

}  // namespace

std::expected<switch_seen, std::string> find_switch(const nginx_seen& nginx, const rollback::nginx_configuration& read) {
  return finder(nginx, read).find();
}

}  // namespace flipback::init
