#pragma once

#include "flipback/probe.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace flipback::rollback {

/// One directive of nginx's configuration: its name and arguments, without quotes. Blocks' own directives follow their head.
struct directive {
  std::vector<std::string> words;
  std::size_t depth = 0;  ///< of blocks around it; 0: main
};

/// The directives in what `nginx -T` prints, or in a file: quotes, escapes, comments and ${variables} as nginx reads them; blocks of Lua
/// are passed over, and so is what stands in no directive.
std::vector<directive> parse_directives(std::string_view text);

/// What of nginx's configuration (`nginx -T`) matters here. Relative paths are below `prefix`.
struct nginx_configuration {
  std::string error_log;  ///< the main one; empty: nginx's default
  std::vector<access_log_directive>
      access_logs;  ///< of every block, without those that are off, go to syslog or have a variable in their path
};
nginx_configuration configuration_in(std::string_view text, const std::string& prefix);

}  // namespace flipback::rollback
