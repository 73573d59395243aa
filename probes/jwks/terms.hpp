#pragma once

#include "flipback/settings.hpp"

#include "probes/jwks/discovery.hpp"
#include "probes/jwks/grant.hpp"

#include <optional>
#include <string>
#include <vector>

namespace flipback::jwks {

/// What a probe is to ask, as its table says.
struct terms {
  std::optional<net::http_request> keys;    ///< the set by its own address …
  std::optional<issuer_place> issuer;       ///< … or what an issuer's document names
  std::optional<net::http_request> health;  ///< the readiness
  std::vector<std::string> algorithms;      ///< each must have a key
  client who;                               ///< whoever asks the issuer for a token

  [[nodiscard]] const net::http_request& first_asked() const { return issuer ? issuer->at : *keys; }
};

/// Reads a table. Where something is missing it has been reported, and the terms are of no use.
terms read_terms(settings::section& from);

}  // namespace flipback::jwks
