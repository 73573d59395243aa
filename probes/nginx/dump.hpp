#pragma once

#include "probes/nginx/directives.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace flipback::nginx {

/// One file of what `nginx -T` prints.
struct dumped_file {
  std::string path;
  std::string text;
};

/// The files in the order in which nginx prints them, the main one first; none where the text has no heads of files.
std::vector<dumped_file> files_in(std::string_view dump);

/// The directives of such a dump as nginx reads them: what a file says that is included in a block stands in that block. A text without
/// heads of files is one file.
std::vector<directive> parse_dump(std::string_view dump);

}  // namespace flipback::nginx
