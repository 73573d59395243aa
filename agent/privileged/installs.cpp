#include "agent/privileged/installs.hpp"

#include "flipback/small_file.hpp"

#include "agent/privileged/roots_own.hpp"
#include "agent/rollback/beside.hpp"
#include "agent/rollback/file_image.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <ranges>

namespace flipback::privileged {

using namespace rollback;

namespace {

constexpr std::size_t largest_record = std::size_t{256} * 1024 * 1024;  // both ends of each file, of at most 1 MiB each

const file_change& file_of(const change& c) {
  return std::get<file_change>(c);
}

/// Durably, and whole or not at all: "" or one sentence. In a folder that is root's alone.
std::string write_file(const std::string& path, std::string_view bytes) {
  const std::string fresh = beside(path, dotfile::fresh);
  ::unlink(fresh.c_str());
  const descriptor file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.is_open()) return cant("make", fresh, errno);
  if (const int error = write_all(file.get(), bytes); error != 0) return cant("write", fresh, error);
  if (::fsync(file.get()) != 0 || ::rename(fresh.c_str(), path.c_str()) != 0) return cant("write", path, errno);
  const int error = sync_folder_of(path);
  return error == 0 ? "" : cant("sync the folder of", path, error);
}

bool is_there(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

}  // namespace

installs::installs(std::filesystem::path folder, const config::configuration& of)
    : folder_(std::move(folder)), of_(of), switch_(make_file_switch(of)) {}

std::expected<std::vector<change>, std::string> installs::changes_for(const order& what) {
  const auto slot = std::ranges::find(of_.slots, what.slot, &config::slot::name);
  if (slot == of_.slots.end()) return std::unexpected(fmt::format("{} is no slot of this helper's configuration", what.slot));
  auto changes = switch_->changes_to(static_cast<slot_number>(slot - of_.slots.begin()));
  if (changes && hashed(*changes) != what.changes)
    return std::unexpected(fmt::format(
        "the live files, or those of slot {}, don't say what the agent saw, or it is configured for others: nothing was changed",
        what.slot));
  return changes;
}

std::expected<attempt, std::string> installs::record() const {
  const std::string written = path(is_there(path("begun")) ? "begun" : "last");
  if (!is_there(written)) return std::unexpected("nothing was installed: there is nothing to put back");
  const auto text = read_small_file(written, largest_record);
  if (!text) return std::unexpected(fmt::format("{} {}", written, text.error()));
  auto read = row_from(*text);
  if (!read) return std::unexpected(fmt::format("{} can't be read: {}", written, read.error()));
  return std::move(read->of);
}

std::vector<change> installs::cut_off(const order& what, std::span<const change> but) const {
  std::vector<change> put_then;
  const auto before = record();
  if (!is_there(path("begun")) || !before || before->to.name != what.slot) return put_then;
  for (const change& c : before->changes) {
    const bool again = std::ranges::any_of(but, [&](const change& other) { return file_of(other).path == file_of(c).path; });
    if (!again && state_of(file_of(c), of_.deployment->in_place).is == change_state::kind::after) put_then.push_back(c);
  }
  return put_then;
}

std::string installs::keep(const attempt& what) const {
  if (::mkdir(path("replaced").c_str(), 0700) != 0 && errno != EEXIST) return cant("make the folder", path("replaced"), errno);
  for (const change& c : what.changes) {
    const file_image& said = file_of(c).before;
    if (said.is == file_image::kind::absent) continue;
    const std::string& bytes = said.is == file_image::kind::link ? said.target : said.bytes;
    if (std::string failed = write_file((folder_ / "replaced" / hash_of(said)).string(), bytes); !failed.empty()) return failed;
  }
  row begun;
  begun.of = what;
  return write_file(path("begun"), to_text(begun));
}

/// Looked at for each file: a record may be older than the configuration.
std::string installs::closed(const std::string& live) const {
  const std::vector<std::string> all = switch_->locked_beside();
  if (std::ranges::find(all, live) == all.end()) return fmt::format("{} is no longer a live file of this helper's configuration", live);
  return not_roots_own(live);
}

put_result installs::put(const change& c, end to) const {
  if (std::string why = closed(file_of(c).path); !why.empty()) return {.is = put_result::kind::failed, .says = std::move(why)};
  return put_file(file_of(c), to, of_.deployment->in_place);
}

done installs::put_back(std::span<const change> changes) const {
  done all{answer::yes, {}};
  for (const change& c : std::views::reverse(changes)) {
    const put_result r = put(c, end::before);
    if (r.is == put_result::kind::done) sweep(file_of(c).path);
    if (r.is == put_result::kind::done || all.is == answer::cant_tell) continue;
    all = {r.is == put_result::kind::cant_tell ? answer::cant_tell : answer::no, r.says};
  }
  return all;
}

done installs::install(const order& what) {
  const auto changes = changes_for(what);
  if (!changes) return {answer::no, changes.error()};
  if (changes->empty()) return {answer::yes, {}};
  attempt now;
  now.to.name = what.slot;
  now.begun = std::chrono::system_clock::now();
  now.changes = cut_off(what, *changes);
  now.changes.insert(now.changes.end(), changes->begin(), changes->end());
  if (const std::string failed = keep(now); !failed.empty())
    return {answer::no, fmt::format("what is replaced can't be kept, and so nothing was: {}", failed)};
  for (std::size_t i = 0; i < changes->size(); ++i) {
    const put_result r = put((*changes)[i], end::after);
    if (r.is == put_result::kind::done) continue;
    // What may have been written is put back with the rest.
    const done back = put_back(std::span(*changes).first(r.is == put_result::kind::cant_tell ? i + 1 : i));
    if (back.is != answer::yes) return {answer::cant_tell, fmt::format("{}; and of what was written before: {}", r.says, back.says)};
    if (now.changes.size() == changes->size()) ::unlink(path("begun").c_str());
    return {answer::no, r.says};
  }
  if (::rename(path("begun").c_str(), path("last").c_str()) != 0 || sync_folder_of(path("last")) != 0)
    return {answer::cant_tell, cant("write", path("last"), errno)};
  return {answer::yes, {}};
}

done installs::could(const order& what) {
  const auto changes = changes_for(what);
  if (!changes) return {answer::no, changes.error()};
  std::string why = obstacle_to_put(path("begun"), false);
  for (const change& c : *changes) {
    if (why.empty()) why = closed(file_of(c).path);
    if (why.empty()) why = obstacle_to_put(file_of(c).path, of_.deployment->in_place);
  }
  return {why.empty() ? answer::yes : answer::no, why};
}

done installs::restore() {
  const auto last = record();
  if (!last) return {answer::no, last.error()};
  return put_back(last->changes);
}

void installs::make_locks(gid_t served) {
  for (const std::string& live : switch_->locked_beside()) {
    const std::string lock = beside(live, dotfile::lock);
    if (!not_roots_own(live).empty()) continue;  // in whose folder is not written
    const descriptor file(::open(lock.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600));
    struct stat is{};
    if (!file.is_open() || ::fstat(file.get(), &is) != 0 || !S_ISREG(is.st_mode) || is.st_uid != 0 || is.st_nlink != 1) continue;
    if (is.st_gid != served && ::fchown(file.get(), 0, served) != 0) continue;
    if ((is.st_mode & 07777) != 0640) ::fchmod(file.get(), 0640);
  }
}

}  // namespace flipback::privileged
