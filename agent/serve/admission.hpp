#pragma once

#include "agent/config/configuration.hpp"
#include "agent/serve/http_message.hpp"

#include <optional>
#include <string_view>

/// Who may ask for what over HTTP (packaging/docs/security.md). Pure: a request and the configuration in, a refusal or nothing out.
namespace flipback::serve {

/// What a route asks of whoever wants it.
enum class asks_for : std::uint8_t {
  nothing,   ///< anybody
  our_name,  ///< a Host that is ours: no page that a name server leads here
  reading,   ///< that, no other site's page, and loopback or the token
  changing   ///< that, the token, and a body of JSON
};

/// Why this request may not; nothing: it may.
std::optional<answer> refusal(asks_for what, const request& asked, const config::agent& by);

/// Whether the request has the token that is configured. Takes as long for every wrong one.
bool has_token(const request& asked, const config::agent& by);

}  // namespace flipback::serve
