#pragma once

#include "rules/language/expression.hpp"
#include "rules/language/lexer.hpp"

#include <expected>
#include <string_view>

namespace flipback::rules {

/// Grammar, loosest first:  or · and · not · comparison (never chained) · + - · * / · number, signal [over W], f(signal over W), before( )
/// of one of these, surely(signal over W > number [, number]), worse(signal over W), ( )
std::expected<branch, language_error> parse(std::string_view text);

}  // namespace flipback::rules
