#pragma once

#include "flipback/secret.hpp"
#include "flipback/settings.hpp"

#include "probes/expectation.hpp"
#include "probes/identity.hpp"
#include "probes/journey/text_template.hpp"
#include "probes/net/http_client.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flipback::journey {

/// One request of a journey, and what is expected of its answer.
struct step {
  std::string name;          ///< "token"
  std::string called;        ///< "step token"
  std::string_view seconds;  ///< the measurement of its latency
  net::http_request ask;     ///< method and place; its target, headers and body come from these:
  text_template target;
  std::vector<std::pair<std::string, text_template>> headers;
  text_template body;
  bool logs_in = false;  ///< a form with a password
  expectation expect;
  std::vector<std::pair<std::string, identity_source>> captures;  ///< a name, and where its value is in the answer
};

/// Reads `[[…steps]]`, whose paths come after `base`'s. What they send is added to `hidden`.
std::vector<step> read_steps(settings::section& from, const net::http_request& base, std::vector<secret>& hidden);

/// The step's request with the captured values in their places.
net::http_request request_of(const step& of, const captured& values);

/// What a step is to capture from its answer, or why it is not there.
net::result<captured> taken_by(const step& of, const net::http_answer& answer);

}  // namespace flipback::journey
