#pragma once

#include "agent/rollback/slot_switch.hpp"

#include <span>
#include <string>
#include <vector>

/// What the switches that change files and links have in common.
namespace flipback::rollback {

class file_switch : public slot_switch {
 public:
  /// `by_helper`: what writes has root's rights, and is no part of this process.
  file_switch(bool in_place, bool by_helper) : in_place_(in_place), by_helper_(by_helper) {}

  asio::awaitable<void> refresh() override;
  asio::awaitable<change_state> state_of(const change& c) override;
  asio::awaitable<put_result> put(const change& c, end to) override;
  [[nodiscard]] bool needs_reload() const override { return true; }
  void stage(slot_number to) override;
  void unstage() override;
  void sweep() override;

 protected:
  /// Every path that a change may be of.
  [[nodiscard]] virtual std::vector<std::string> changed_paths() const = 0;
  /// What would stop a file from being put there: "" or one sentence. Of the rights of a helper that writes, the helper alone can tell.
  [[nodiscard]] std::string obstacle_to_write(const std::string& path) const;

 private:
  bool in_place_;
  bool by_helper_;
};

/// The live paths of a configuration, in its order.
std::vector<std::string> paths_of(std::span<const config::live_file> files);
/// The live paths of a configuration and, where one is a link, the file behind it.
std::vector<std::string> with_files_behind(std::span<const config::live_file> files);

/// What becomes of a file that has a second name (a hard link): "" where it has none.
std::string second_name(const std::string& path);

/// "a", "a and b", "a, b and c"
std::string listed(const std::vector<std::string>& names);

/// Adds a sentence unless it is empty or there already.
void add_once(std::vector<std::string>& sentences, std::string sentence);

}  // namespace flipback::rollback
