#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flipback::nginx {

/// One directive of nginx's configuration: its name and arguments, without quotes. Blocks' own directives follow their head.
struct directive {
  std::vector<std::string> words;
  std::size_t depth = 0;  ///< of blocks around it; 0: main
};

/// The directives in what `nginx -T` prints, or in a file: quotes, escapes, comments and ${variables} as nginx reads them; blocks of Lua
/// are passed over, and so is what stands in no directive.
std::vector<directive> parse_directives(std::string_view text);

/// A format of access logs. `escape` is "default", "json" or "none".
struct log_format {
  std::string name;
  std::string text;
  std::string escape;
};
std::optional<log_format> log_format_in(const directive& d);

/// The text of the format that nginx has without being told (nginx.org/en/docs/http/ngx_http_log_module.html).
inline constexpr std::string_view combined =
    R"($remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent")";

}  // namespace flipback::nginx
