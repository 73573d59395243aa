#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace flipback::rules {

/// What a text begins with that other languages have and this one says otherwise, PromQL above all: "found &&, expected and". Nothing where
/// it begins with nothing of the kind.
std::optional<std::string> foreign(std::string_view text);

/// The same of a name that stands before a "(", or as an operator: "rate", "AND".
std::optional<std::string> foreign_word(std::string_view name, bool is_called);

/// The first character of a text, whole in UTF-8, or as \xNN where it is none.
std::string first_character(std::string_view text);

}  // namespace flipback::rules
