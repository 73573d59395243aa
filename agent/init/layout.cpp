#include "agent/init/layout.hpp"

#include "agent/init/nginx_sites.hpp"
#include "agent/init/pairs.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace flipback::init {

bool is_at_or_below(const std::string& path, const std::string& folder) {
  return path == folder || path.starts_with(folder + "/");
}

std::string folder_of(const std::string& path) {
  return std::filesystem::path(path).parent_path().string();
}

std::string seen_from(const std::string& folder, const std::string& path) {
  std::string made = (std::filesystem::path(folder) / path).lexically_normal().string();
  while (made.size() > 1 && made.ends_with('/')) made.pop_back();
  return made;
}

layout::layout(const nginx_seen& nginx, const rollback::nginx_configuration& read)
    : nginx_(&nginx), read_(&read), dumped_(nginx::files_in(nginx.dump)) {
  for (const nginx::dumped_file& f : dumped_) add_reached(f.path);
  for (const text_file& f : nginx.beside) {
    if (!read_by_any_name_.contains(f.path)) unread_.push_back(f);
  }
}

/// With every name that the links on its way give it, the innermost link first.
void layout::add_reached(std::string path) {
  constexpr int most_links = 40;  // as the kernel follows
  for (int followed = 0; followed <= most_links; ++followed) {
    read_by_any_name_.insert(path);
    const link* innermost = nullptr;
    for (const link& l : nginx_->links) {
      if (is_at_or_below(path, l.path) && (innermost == nullptr || l.path.size() > innermost->path.size())) innermost = &l;
    }
    if (innermost == nullptr) return;
    path = seen_from(folder_of(innermost->path), innermost->target) + path.substr(innermost->path.size());
  }
}

bool layout::is_read(const std::string& place) const {
  return std::ranges::any_of(read_by_any_name_, [&](const std::string& path) { return is_at_or_below(path, place); });
}

bool layout::is_live_beside(const text_file& other, const std::string& live) const {
  return std::ranges::any_of(dumped_, [&](const nginx::dumped_file& f) { return f.path != live && say_the_same(f.text, other.text); });
}

std::string layout::text_at(const std::string& place) const {
  std::string all;
  for (const text_file& f : nginx_->beside) {
    if (is_at_or_below(f.path, place)) all += f.text + "\n";
  }
  return all;
}

bool layout::is_linked(const std::string& path) const {
  return std::ranges::any_of(nginx_->links, [&](const link& l) { return is_at_or_below(path, l.path); });
}

slot_seen layout::slot_with(std::string name, const std::string& text) const {
  slot_seen made;
  made.name = std::move(name);
  made.addresses = addresses_in(text, *read_);
  if (made.addresses.empty()) made.addresses = addresses_in("upstream its { " + text + "\n}", *read_);  // what is included in one
  return made;
}

layout::pair_of_files layout::twin_of(const text_file& of) const {
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

}  // namespace flipback::init
