#include "agent/rollback/kept_files.hpp"

#include "flipback/as_typed.hpp"
#include "flipback/compact_time.hpp"

#include "agent/rollback/beside.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <vector>

namespace flipback::rollback {

namespace fs = std::filesystem;

namespace {

bool is_a_name(const std::string& name) {
  constexpr std::string_view pattern = "00000000T000000.000Z";
  return std::ranges::equal(name, pattern, [](char c, char like) { return like == '0' ? c >= '0' && c <= '9' : c == like; });
}

/// What was kept of attempts, the oldest first.
std::vector<fs::path> attempts_in(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code unseen;
  for (fs::directory_iterator at(folder, unseen); !unseen && at != fs::directory_iterator(); at.increment(unseen)) {
    if (is_a_name(at->path().filename().string())) found.push_back(at->path());
  }
  std::ranges::sort(found);
  return found;
}

/// Each folder on the way from `from`, which is there, to `at`, and its entry on the disk.
std::string make_folders(fs::path from, const fs::path& at) {
  for (const fs::path& part : at.lexically_relative(from)) {
    from /= part;
    if (::mkdir(from.c_str(), 0700) != 0 && errno != EEXIST) return cant("make the folder", from.string(), errno);
    if (const int error = sync_folder_of(from.string()); error != 0) return cant("sync the folder of", from.string(), error);
  }
  return "";
}

}  // namespace

kept_files::kept_files(fs::path folder, std::shared_ptr<disk> on) : folder_(std::move(folder)), disk_(std::move(on)) {
  std::error_code unknown;
  if (fs::path whole = fs::absolute(folder_, unknown); !unknown) folder_ = std::move(whole);
}

std::string kept_files::put(const fs::path& at, const file_image& said) const {
  if (std::string problem = make_folders(folder_.parent_path(), at.parent_path()); !problem.empty()) return problem;
  const std::string path = at.string();
  ::unlink(path.c_str());
  if (said.is == file_image::kind::link) {
    if (::symlink(said.target.c_str(), path.c_str()) != 0) return cant("make the link", path, errno);
  } else {
    const descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file.is_open()) return cant("make", path, errno);
    if (const int error = disk_->write_at(file.get(), said.bytes, 0); error != 0) return cant("write", path, error);
    if (const int error = disk_->sync(file.get()); error != 0) return cant("sync", path, error);
  }
  const int error = sync_folder_of(path);
  return error == 0 ? "" : cant("sync the folder of", path, error);
}

std::expected<void, std::string> kept_files::keep(const attempt& of) const {
  const fs::path its = folder_ / compact_time(of.begun);
  bool any = false;
  for (const change& c : of.changes) {
    const auto* file = std::get_if<file_change>(&c);
    if (file == nullptr || file->before.is == file_image::kind::absent) continue;
    std::error_code unknown;
    const fs::path whole = fs::absolute(file->path, unknown).lexically_normal();
    if (std::string problem = put(its / whole.relative_path(), file->before); !problem.empty()) {
      return std::unexpected(fmt::format("what {} said before it was changed can't be kept: {}", file->path, problem));
    }
    any = true;
  }
  if (any) drop_the_oldest(its);
  return {};
}

void kept_files::drop_the_oldest(const fs::path& but) const {
  std::vector<fs::path> all = attempts_in(folder_);
  std::erase(all, but);  // also where the clock was set back since the others
  std::error_code ignored;
  for (std::size_t i = 0; i + most_attempts <= all.size(); ++i) fs::remove_all(all[i], ignored);
}

std::string kept_files::newest() const {
  const std::vector<fs::path> all = attempts_in(folder_);
  if (all.empty()) return "";
  std::vector<std::string> commands;
  std::vector<std::string> comparing;
  std::error_code unseen;
  for (fs::recursive_directory_iterator at(all.back(), unseen); !unseen && at != fs::recursive_directory_iterator(); at.increment(unseen)) {
    const std::string live = ("/" / at->path().lexically_relative(all.back())).string();
    std::error_code ignored;
    if (at->is_symlink(ignored))
      commands.push_back(as_typed(std::vector<std::string>{"ln", "-sfn", fs::read_symlink(at->path(), ignored).string(), live}));
    else if (at->is_regular_file(ignored)) {
      comparing.push_back(as_typed(std::vector<std::string>{"diff", at->path().string(), live}));
      commands.push_back(as_typed(std::vector<std::string>{"cp", at->path().string(), live}));
    }
  }
  if (commands.empty()) return "";
  std::ranges::sort(commands);
  std::ranges::sort(comparing);
  // After a rollback it says what led users to the release that failed: whoever has it back unread brings that back.
  const std::string first = comparing.empty() ? "" : fmt::format("; look first what differs: {}", fmt::join(comparing, "; "));
  return fmt::format("what was there before Flipback changed it at {} is kept under {}{}; to have it back: {}",
                     all.back().filename().string(), all.back().string(), first, fmt::join(commands, " && "));
}

}  // namespace flipback::rollback
