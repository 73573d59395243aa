#pragma once

#include "flipback/secret.hpp"

#include "probes/postgres/answer.hpp"

namespace flipback::postgres {

/// What the server refused, by its SQLSTATE (PostgreSQL's Appendix A). Its words are quoted without the secrets.
refusal refused(std::string_view state, std::string_view says, std::span<const secret> hidden);

/// The SQLSTATE in a message of a connection that did not come about; empty where the server gave none. The message must be verbose.
std::string state_in(std::string_view message);

/// What a connection's message means: the server's own refusal, or what befell the connection.
refusal connection_trouble(std::string_view message, std::span<const secret> hidden);

}  // namespace flipback::postgres
