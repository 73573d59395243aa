#pragma once

#include <string>
#include <string_view>

namespace flipback::init {

/// A text as it stands between the quotes of a configuration's string: escaped, and with nothing in it that would be taken for a variable.
/// What is no UTF-8 stays as it is, since no TOML can say it: `settle` switches off what holds some.
std::string escaped(std::string_view text);

/// The same with its quotes.
std::string in_toml(std::string_view text);

/// A comment: each line behind a #, folded at words where it is long. Whatever a host's files hold, nothing of it begins a line of its own.
std::string as_comment(std::string_view text);

/// What is TOML, switched off: each line as it stands behind a #.
std::string switched_off(std::string_view toml);

}  // namespace flipback::init
