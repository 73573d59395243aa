#pragma once

#include "probes/net/network.hpp"

#include <boost/system/error_code.hpp>
#include <openssl/ssl.h>

#include <optional>
#include <string>

namespace flipback::net {

/// Asks the peer for `name` (SNI, where it is no address), without a dot at its end, and holds its certificate against it, where the peer
/// is verified at all.
void expect_name(SSL* of, std::string name);

/// Days until the first certificate ends, negative when it has, of the chain by which the peer was verified, up to the authority that is
/// trusted here; of all that it sent, where it was not verified. Nothing where it sent none.
std::optional<double> days_left(SSL* of);

/// Why the peer's certificate was not trusted, in one sentence; empty where that was not what went wrong.
std::string verification_problem(SSL* of, const std::string& asked_for);

/// Whether the server has asked for a certificate of ours. Told by `watch_demands`, into a flag that must outlive the handshake; a null
/// flag ends the watch.
void watch_demands(SSL* of, bool* demanded);

/// What the server's alert means where it concerns our certificate or the version of TLS; nothing where it is about something else.
/// Under TLS 1.3 such an alert comes only with the first read: for the client, the handshake was over (RFC 8446, 4.4.2.4 and 6.2).
std::optional<failure> refusal(const boost::system::error_code& error, bool demanded, bool shown);

}  // namespace flipback::net
