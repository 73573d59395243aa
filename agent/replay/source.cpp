#include "agent/replay/source.hpp"

#include "rules/replay/record.hpp"

#include <filesystem>
#include <utility>

namespace flipback::replay {

source source_of(const std::string& word) {
  std::error_code unused;
  const std::size_t equals = word.find('=');
  if (equals == std::string::npos || equals == 0 || word.find('/') < equals || std::filesystem::exists(word, unused)) return {{}, {word}};
  source made{word.substr(0, equals), {}};
  for (std::string_view rest = std::string_view(word).substr(equals + 1);;) {
    const std::size_t comma = rest.find(',');
    made.files.emplace_back(rest.substr(0, comma));
    if (comma == std::string_view::npos) return made;
    rest.remove_prefix(comma + 1);
  }
}

content content_of(std::string_view bytes) {
  constexpr std::string_view magic = rules::replay::magic;
  if (!bytes.empty() && (bytes.starts_with(magic) || magic.starts_with(bytes))) return content::record;
  constexpr std::string_view space = " \t\r\n";
  const std::size_t first = bytes.find_first_not_of(space);
  if (first == std::string_view::npos || (bytes[first] != '{' && bytes[first] != '[')) return content::text;
  // A text may begin with labels: {__name__="up",job="api"} 1 …
  const std::size_t second = bytes.find_first_not_of(space, first + 1);
  const bool is_label = second != std::string_view::npos && (bytes[second] == '_' || (bytes[second] >= 'a' && bytes[second] <= 'z'));
  return is_label ? content::text : content::json;
}

}  // namespace flipback::replay
