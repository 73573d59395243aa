#include "probes/net/http_settings.hpp"

#include "probes/net/tls_settings.hpp"

#include <fmt/format.h>

namespace flipback::net {

http_request read_http_request(settings::section& from, std::string_view example) {
  http_request ask;
  const std::string text = from.required_text("url", example);
  if (!text.empty()) {
    auto parsed = parse_url(text);
    if (parsed)
      ask.to = std::move(*parsed);
    else
      from.report("url", fmt::format("found {}, which {}", from.shown("url"), parsed.error()));
  }
  ask.host = from.text("host", "");
  ask.tls = read_tls_options(from);
  if (ask.tls.server_name.empty()) ask.tls.server_name = ask.host.substr(0, ask.host.find(':'));
  return ask;
}

}  // namespace flipback::net
