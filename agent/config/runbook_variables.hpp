#pragma once

#include "flipback/settings.hpp"

#include "agent/config/environment.hpp"

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flipback::config {

/// A probe's table as if it had been written by hand with ${NAME}s; the variable is its place.
class written_table {
 public:
  written_table(const variables& from, std::string_view variable) : from_(&from), at_{std::string(variable), 0, 0} {}

  /// A value made from a variable: messages show the variable, not the value.
  void put(const std::string& key, std::string value, std::string_view variable);
  /// The value of the first of these variables that is set and not empty; none: the key is left out.
  void put_first(const std::string& key, std::initializer_list<std::string_view> variables);
  void put_if_set(const std::string& key, std::string_view variable) { put_first(key, {variable}); }
  using key = std::pair<const char*, std::string_view>;  ///< and the variable that it is taken from
  /// The first of these groups whose variables are all set: keys that are nothing without each other. Whether there is one.
  bool put_first_whole(std::initializer_list<std::vector<key>> groups);
  [[nodiscard]] bool is_set(std::string_view variable) { return !value_of(variable).empty(); }
  /// What a variable holds; empty where it is not set.
  std::string value_of(std::string_view variable);
  /// Why one of the variables that were asked for can't be read; empty: all can.
  [[nodiscard]] const std::string& unread() const { return unread_; }
  [[nodiscard]] bool is_empty() const { return members_.empty(); }
  [[nodiscard]] settings::node take() { return {std::move(members_), at_, 0}; }

 private:
  const variables* from_;
  std::string unread_;
  settings::position at_;
  settings::table members_;
};

/// A variable that names a service, and the probe that it asks for; none where it fills nothing in. Several may name one: then the first
/// that is set does.
struct runbook_row {
  std::string_view variable;
  std::string_view name;
  std::string_view type;
  void (*fill)(written_table& into);
};

/// In the order of the runbook's own list of health checks.
std::span<const runbook_row> runbook_rows();

}  // namespace flipback::config
