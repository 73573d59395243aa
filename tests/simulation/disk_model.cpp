#include "tests/simulation/disk_model.hpp"

#include <utility>

namespace flipback::simulation {

using rollback::put_result;

file_image regular_file(std::string bytes) {
  file_image made;
  made.is = file_image::kind::regular;
  made.bytes = std::move(bytes);
  return made;
}

file_image link_to(std::string target) {
  file_image made;
  made.is = file_image::kind::link;
  made.target = std::move(target);
  return made;
}

const disk_model::entry* disk_model::find(const std::string& path) const {
  const auto found = entries_.find(path);
  return found == entries_.end() ? nullptr : &found->second;
}

const file_image& disk_model::read(const std::string& path) const {
  static const file_image absent;
  const entry* e = find(path);
  return e == nullptr ? absent : e->seen;
}

void disk_model::place(const std::string& path, file_image image, wall_time at, author by) {
  entries_[path] = {image, std::move(image), at, by, by, false};
}

void disk_model::copy_over(const std::string& path, file_image image, wall_time at) {
  entry& e = entries_[path];
  e.seen = std::move(image);
  e.changed = at;
  e.by = author::person;
  e.torn = false;
}

void disk_model::sync_all() {
  for (auto& [path, e] : entries_) e.kept = e.seen;
}

put_result disk_model::put(const file_change& c, rollback::end to, const faults& now, bool staged, wall_time at, bool folder_synced) {
  const file_image& want = to == rollback::end::after ? c.after : c.before;
  const file_image& other = to == rollback::end::after ? c.before : c.after;
  entry& e = entries_[c.path];
  if (e.seen.says_the_same_as(want)) {
    e.kept = e.seen;
    return {put_result::kind::done, {}};
  }
  if (!e.seen.says_the_same_as(other)) return {put_result::kind::foreign, c.path + " was changed by somebody else"};
  if (now.disk_read_only) return {put_result::kind::failed, c.path + ": the file system is read-only"};
  if (now.disk_full && !staged) return {put_result::kind::failed, c.path + ": no space left"};
  e.seen = want;
  e.changed = at;
  if (to == rollback::end::after)
    e.before = std::exchange(e.by, author::agent);
  else
    e.by = e.by == author::agent ? e.before : author::person;  // what stood there is whose it was
  e.torn = false;
  if (!folder_synced) return {put_result::kind::cant_tell, c.path + ": its folder could not be synced"};
  e.kept = want;
  return {put_result::kind::done, {}};
}

rollback::change_state disk_model::state_of(const file_change& c) const {
  using kind = rollback::change_state::kind;
  const file_image& now = read(c.path);
  if (now.says_the_same_as(c.before)) return {kind::before, {}};
  if (now.says_the_same_as(c.after)) return {kind::after, {}};
  return {kind::foreign, c.path + " was changed by somebody else"};
}

bool disk_model::lose_power(dice& chance) {
  bool lost = false;
  for (auto& [path, e] : entries_) {
    if (e.seen == e.kept) continue;
    lost = true;
    if (chance.chance(0.5)) {
      e.seen = e.kept;
      e.by = author::nobody;
      e.torn = true;
    } else if (e.by == author::person && e.seen.is == file_image::kind::regular && chance.chance(0.2)) {
      e.seen.bytes.resize(e.seen.bytes.size() / 2);  // cp writes into the file itself
      e.torn = true;
    }
    e.kept = e.seen;
  }
  return lost;
}

}  // namespace flipback::simulation
