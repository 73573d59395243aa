#pragma once

#include <string>
#include <string_view>

namespace flipback::postgres {

/// What a statement does, without what it does it with: every string, number and parameter is a `?`, lists of them are one, comments are
/// gone, and white space is one blank. `SELECT * FROM t WHERE id IN (1, 2) -- x` becomes `SELECT * FROM t WHERE id IN (?)`. One line of
/// UTF-8 of at most 200 bytes, and an ellipsis.
///
/// Nothing of a literal is ever left: the text may be cut anywhere, as pg_stat_activity cuts it, and where it can be read in two ways
/// (a backslash before a quote means something else by standard_conforming_strings) it ends with an ellipsis. PostgreSQL's lexical rules:
/// its manual, "4.1. Lexical Structure".
std::string fingerprint(std::string_view sql);

}  // namespace flipback::postgres
