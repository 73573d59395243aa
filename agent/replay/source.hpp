#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flipback::replay {

/// What is replayed, as a person names it: FILE, NAME=FILE, or NAME=NUMERATOR,DENOMINATOR.
struct source {
  std::string signal;  ///< empty: the file has names of its own
  std::vector<std::string> files;
};
/// A file of exactly this name is one, whatever it has in it.
source source_of(const std::string& word);

/// What a file has in it, as it begins.
enum class content : std::uint8_t { record, text, json };
content content_of(std::string_view bytes);

}  // namespace flipback::replay
