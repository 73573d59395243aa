#include "agent/init/layout.hpp"

#include "agent/init/nginx_sites.hpp"
#include "agent/init/pairs.hpp"

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

namespace flipback::init {

namespace {

bool is_at_or_below(const std::string& path, const std::string& folder) {
  return path == folder || path.starts_with(folder + "/");
}

}  // namespace

std::string folder_of(const std::string& path) {
  return std::filesystem::path(path).parent_path().string();
}

std::string seen_from(const std::string& folder, const std::string& path) {
  return (std::filesystem::path(folder) / path).lexically_normal().string();
}

layout::layout(const nginx_seen& nginx, const rollback::nginx_configuration& read)
    : nginx_(&nginx), read_(&read), dumped_(nginx::files_in(nginx.dump)) {
  std::set<std::string> paths;
  for (const nginx::dumped_file& f : dumped_) paths.insert(f.path);
  for (const text_file& f : nginx.beside) {
    if (!paths.contains(f.path)) unread_.push_back(f);
  }
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
