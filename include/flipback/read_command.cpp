#include "flipback/read_command.hpp"

#include <fmt/format.h>

namespace flipback::settings {

std::vector<std::string> read_command(settings::section& from, std::string_view key, std::string_view example) {
  const settings::node* found = from.raw(key);
  if (found == nullptr) return {};
  const auto* words = std::get_if<settings::array>(&found->value);
  if (words == nullptr) {
    from.report(key, fmt::format("found {}, expected an array, such as {}: no shell takes it apart", settings::shown(*found), example));
    return {};
  }
  std::vector<std::string> read = from.texts(key);
  const bool all_are_texts = read.size() == words->size();
  if (all_are_texts && (read.empty() || read.front().empty())) {
    from.report(key, fmt::format("names no program, expected an array such as {}", example));
  }
  return all_are_texts && !read.empty() && !read.front().empty() ? read : std::vector<std::string>{};
}

}  // namespace flipback::settings
