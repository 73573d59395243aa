#pragma once

#include "flipback/settings.hpp"

#include <span>
#include <string_view>

namespace flipback::config {

/// A table without these keys: what is left is for its maker alone.
inline settings::node without_keys(const settings::node& table, std::span<const std::string_view> keys) {
  settings::node own = table;
  auto& members = std::get<settings::table>(own.value);
  for (const std::string_view key : keys) {
    if (const auto at = members.find(key); at != members.end()) members.erase(at);
  }
  return own;
}

}  // namespace flipback::config
