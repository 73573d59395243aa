#pragma once

#include <CLI/CLI.hpp>

#include <optional>
#include <string>

namespace flipback::cli {

/// The words of the verb that was typed: "window open"; empty: none was.
std::string verb_of(const CLI::App& typed);

/// Options that stand where they do nothing, as a sentence: a person who typed them would believe that they did. `configuration` and
/// `validated`: the files of --config and of `validate`.
std::optional<std::string> misplaced(const CLI::App& typed, const std::string& configuration, const std::string& validated);

}  // namespace flipback::cli
