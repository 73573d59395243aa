#pragma once

#include "flipback/secret.hpp"
#include "flipback/settings.hpp"

#include "probes/journey/text_template.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace flipback::journey {

/// What a step sends.
struct payload {
  text_template text;
  std::string_view type;      ///< its media type; empty: whatever the step's headers say
  bool has_password = false;  ///< it is a form with a password: who is refused has the wrong one
};

/// Reads `form`, `json` or `body`, at most one of them. A value of a form or of the JSON may stand in a file (`password_file`); what comes
/// from a file or the environment is sent as it is. All of it but a form's public fields (RFC 6749, 4.3.2: grant_type, username, scope,
/// client_id) is added to `hidden`.
payload read_payload(settings::section& from, std::vector<secret>& hidden);

}  // namespace flipback::journey
