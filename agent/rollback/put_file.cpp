#include "agent/rollback/attributes.hpp"
#include "agent/rollback/beside.hpp"
#include "agent/rollback/file_image.hpp"
#include "agent/rollback/in_place.hpp"
#include "agent/rollback/replace.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <expected>

namespace flipback::rollback {

namespace {

constexpr put_result::kind nothing_changed = put_result::kind::failed;

/// What was kept of before, if that is the very thing wanted.
bool is_kept(const std::string& kept, const file_image& want) {
  const auto there = read_image(kept);
  if (!there || !there->says_the_same_as(want)) return false;
  return want.is != file_image::kind::regular || (there->mode == want.mode && there->owner == want.owner && there->group == want.group);
}

int sync_file(const std::string& path) {
  const descriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  return file.is_open() && ::fsync(file.get()) == 0 ? 0 : errno;
}

/// A new file for the bytes: the staged room, if that is ours alone, else one that is made now.
std::expected<descriptor, std::string> open_fresh(const std::string& path, const std::string& fresh) {
  ::unlink(fresh.c_str());
  const std::string room = beside(path, dotfile::room);
  descriptor staged(::open(room.c_str(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat found{};
  if (staged.is_open() && ::fstat(staged.get(), &found) == 0 && S_ISREG(found.st_mode) && found.st_nlink == 1 &&
      found.st_uid == ::geteuid() && ::rename(room.c_str(), fresh.c_str()) == 0)
    return staged;
  descriptor made(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!made.is_open()) return std::unexpected(cant("make", fresh, errno));
  return made;
}

std::string write_fresh(const std::string& path, const std::string& fresh, const file_image& want) {
  const auto file = open_fresh(path, fresh);
  if (!file) return file.error();
  if (const int error = write_all(file->get(), want.bytes); error != 0) return cant("write", fresh, error);
  if (::ftruncate(file->get(), static_cast<off_t>(want.bytes.size())) != 0) return cant("write", fresh, errno);
  if (std::string lost = keep_attributes(file->get(), want, path); !lost.empty()) return lost;
  if (::fsync(file->get()) != 0) return cant("sync", fresh, errno);
  return "";
}

std::string link_fresh(const std::string& fresh, const file_image& want) {
  ::unlink(fresh.c_str());
  if (::symlink(want.target.c_str(), fresh.c_str()) != 0) return cant("make the link", fresh, errno);
  // Nobody asks who owns a link outside of folders like /tmp: where it can't be given away it is as good.
  static_cast<void>(::lchown(fresh.c_str(), want.owner, want.group) == 0);
  return "";
}

put_result synced(const std::string& path) {
  const int error = sync_folder_of(path);
  if (error == 0) return {};
  return {.is = put_result::kind::cant_tell,
          .says = cant(fmt::format("sync, after {} was replaced, the folder", path), folder_of(path), error)};
}

put_result as_it_is(const std::string& path, const file_image& want) {
  if (want.is == file_image::kind::regular) {
    if (const int error = sync_file(path); error != 0) return {.is = put_result::kind::cant_tell, .says = cant("sync", path, error)};
  }
  return synced(path);
}

put_result put_new(const std::string& path, const file_image& want, const file_image& now) {
  const std::string kept = beside(path, dotfile::kept);
  const std::string fresh = beside(path, dotfile::fresh);
  if (is_kept(kept, want) && now.is != file_image::kind::absent && (want.is == file_image::kind::link || sync_file(kept) == 0))
    return replace(path, kept, kept, now, step_kind::exchange);
  const std::string problem = want.is == file_image::kind::link ? link_fresh(fresh, want) : write_fresh(path, fresh, want);
  if (!problem.empty()) {
    ::unlink(fresh.c_str());
    return {.is = nothing_changed, .says = problem};
  }
  put_result r = now.is == file_image::kind::absent ? appear(path, fresh) : replace(path, fresh, kept, now, step_kind::exchange);
  if (r.is != put_result::kind::cant_tell) ::unlink(fresh.c_str());
  return r;
}

}  // namespace

put_result put_file(const file_change& c, end to, bool in_place) {
  const file_image& other = to == end::after ? c.before : c.after;
  file_image want = to == end::after ? c.after : c.before;
  const auto now = read_image(c.path);
  if (!now) return {.is = nothing_changed, .says = now.error()};
  if (now->says_the_same_as(want)) return as_it_is(c.path, want);
  const bool both_regular = now->is == file_image::kind::regular && want.is == file_image::kind::regular;
  if (!now->says_the_same_as(other) && !(in_place && both_regular && is_half_written(now->bytes, c)))
    return {.is = put_result::kind::foreign, .says = state_of(c, in_place).says};
  if (in_place && both_regular) return write_in_place(c, to);
  if (both_regular) {
    want.mode = now->mode;
    want.owner = now->owner;
    want.group = now->group;
  }
  put_result r = want.is == file_image::kind::absent ? vanish(c.path, beside(c.path, dotfile::kept), *now) : put_new(c.path, want, *now);
  return r.is == put_result::kind::done ? synced(c.path) : r;
}

}  // namespace flipback::rollback
