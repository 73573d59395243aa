#pragma once

#include <openssl/ssl.h>

#include <optional>
#include <string>

namespace flipback::net {

/// Asks the peer for `name` (SNI, where it is no address) and, where the peer is verified at all, holds its certificate against it.
void expect_name(SSL* of, const std::string& name);

/// Days until the peer's certificate ends, negative when it has; nothing where the peer showed none.
std::optional<double> days_left(SSL* of);

/// Why the peer's certificate was not trusted, in one sentence; empty where that was not what went wrong.
std::string verification_problem(SSL* of, const std::string& asked_for);

}  // namespace flipback::net
