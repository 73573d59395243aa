#pragma once

#include "agent/init/find_switch.hpp"
#include "agent/rollback/nginx_configuration.hpp"
#include "probes/nginx/dump.hpp"

#include <set>
#include <string>
#include <vector>

namespace flipback::init {

/// nginx's files as a host has laid them out: those that nginx reads, what stands beside them, and the links that lead there. What it is
/// made of must outlive it.
class layout {
 public:
  layout(const nginx_seen& nginx, const rollback::nginx_configuration& read);

  [[nodiscard]] const std::vector<nginx::dumped_file>& files() const { return dumped_; }  ///< that nginx reads; the main one first
  /// What else stands beside them, and is reached by no link either.
  [[nodiscard]] const std::vector<text_file>& unread() const { return unread_; }
  [[nodiscard]] const std::vector<text_file>& beside() const { return nginx_->beside; }
  [[nodiscard]] const std::vector<link>& links() const { return nginx_->links; }
  [[nodiscard]] const rollback::nginx_configuration& read() const { return *read_; }

  /// All that the file, or the files in the folder, at this place say; empty where there are none.
  [[nodiscard]] std::string text_at(const std::string& place) const;
  /// Whether nginx reads the file at this place, or one in the folder there, by that name or through a link.
  [[nodiscard]] bool is_read(const std::string& place) const;
  /// Whether nginx reads what this file says by another live file than this one: both are in force at once, and are no slots of each other.
  [[nodiscard]] bool is_live_beside(const text_file& other, const std::string& live) const;
  /// Whether a path leads through a link.
  [[nodiscard]] bool is_linked(const std::string& path) const;
  /// A slot by what its own file says.
  [[nodiscard]] slot_seen slot_with(std::string name, const std::string& text) const;

  /// The file of the other slot, and the names of both; none are told where only their addresses differ.
  struct pair_of_files {
    const text_file* other = nullptr;
    std::string name;
    std::string others_name;
  };
  [[nodiscard]] pair_of_files twin_of(const text_file& of) const;

 private:
  void add_reached(std::string path);

  const nginx_seen* nginx_;
  const rollback::nginx_configuration* read_;
  std::vector<nginx::dumped_file> dumped_;
  std::set<std::string> read_by_any_name_;
  std::vector<text_file> unread_;
};

bool is_at_or_below(const std::string& path, const std::string& folder);
std::string folder_of(const std::string& path);
/// A path that is written in a file or a link of this folder, with no slash at its end.
std::string seen_from(const std::string& folder, const std::string& path);

}  // namespace flipback::init
