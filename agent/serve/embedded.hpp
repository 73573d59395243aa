#pragma once

#include <span>
#include <string_view>

namespace flipback::serve {

/// A file of the sources that the binary holds (agent/serve/embed.cmake).
struct embedded_file {
  std::string_view name;  ///< "page/index.html", "openapi.json": under agent/serve
  std::string_view tag;   ///< another one for other bytes
  std::string_view bytes;
};

/// All of them.
std::span<const embedded_file> embedded();
/// Null: there is none of that name.
const embedded_file* embedded(std::string_view name);

}  // namespace flipback::serve
