#pragma once

#include "agent/privileged/settings.hpp"
#include "agent/rollback/helper_words.hpp"
#include "agent/rollback/journal_row.hpp"
#include "agent/rollback/slot_switch.hpp"

#include <expected>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace flipback::privileged {

/// Makes this host's switch name a slot, and takes that back. What an install replaces is written to the state folder before the first
/// change: each file under its hash, in `replaced/`, and the whole of it as `last` (`begun` until all of it stands), which `restore` goes
/// by. So a crash at any instant leaves each file whole, and what it was known.
class installs {
 public:
  /// The folder is root's alone; the configuration must outlive it.
  installs(std::filesystem::path folder, const config::configuration& of);

  /// No: nothing was changed, or what was is put back. Yes also where all says so already.
  [[nodiscard]] rollback::done install(const rollback::order& what);
  /// Whether `install` would come to yes now, as far as can be tried without leaving a trace.
  [[nodiscard]] rollback::done could(const rollback::order& what);
  /// Each file of the last install that is still what that wrote, or is back already. No: another was changed since, and left alone.
  [[nodiscard]] rollback::done restore();
  /// Makes the files by which agents lock this nginx where there are none, since whom it serves may not. They are that group's alone: who
  /// can open one can lock it, and keep an agent from acting.
  void make_locks(gid_t served);
  /// Takes away what lies beside the files for an undo on a full disk: once nobody has asked for one for a while.
  void tidy_up() { switch_->sweep(); }

 private:
  [[nodiscard]] std::expected<std::vector<rollback::change>, std::string> changes_for(const rollback::order& what);
  /// What an install to the same slot had put when it was cut off.
  [[nodiscard]] std::vector<rollback::change> cut_off(const rollback::order& what, std::span<const rollback::change> but) const;
  [[nodiscard]] std::expected<rollback::attempt, std::string> record() const;
  [[nodiscard]] std::string keep(const rollback::attempt& what) const;
  [[nodiscard]] rollback::done put_back(std::span<const rollback::change> changes) const;
  /// Why nothing is written there; "" where something may be.
  [[nodiscard]] std::string closed(const std::string& live) const;
  [[nodiscard]] rollback::put_result put(const rollback::change& c, rollback::end to) const;
  [[nodiscard]] std::string path(const char* name) const { return (folder_ / name).string(); }

  std::filesystem::path folder_;
  const config::configuration& of_;
  std::unique_ptr<rollback::slot_switch> switch_;
};

}  // namespace flipback::privileged
