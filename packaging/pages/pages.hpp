#pragma once

#include <CLI/CLI.hpp>

#include <string>

namespace flipback::pages {

/// flipback(1), as man reads it.
std::string man(const CLI::App& of);

/// What bash completes after `flipback`: verbs, options, the words that an option takes, files.
std::string bash(const CLI::App& of);

}  // namespace flipback::pages
