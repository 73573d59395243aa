#pragma once

#include "flipback/secret.hpp"

#include "probes/postgres/answer.hpp"

namespace flipback::postgres {

/// What the server refused, by its SQLSTATE (PostgreSQL's Appendix A). Its words are quoted without the secrets.
refusal refused(std::string_view state, std::string_view says, std::span<const secret> hidden);

/// What a connection's message, which must be verbose, means: the server's own refusal, or what befell the connection.
refusal connection_trouble(std::string_view message, std::span<const secret> hidden);

/// Whether libpq's message tells of a wrong password, the server's word or PgBouncer's.
bool tells_wrong_password(std::string_view message);

/// Whether the server lacks what was asked for, as those that are PostgreSQL only in part do: a function, a table, a column, a setting.
bool is_lacking(const refusal& why);

/// A question of our own that the server does not have is left out, and that is said; any other refusal is not well.
void left_out_or_unwell(std::string_view question, const refusal& why, findings& into);

}  // namespace flipback::postgres
