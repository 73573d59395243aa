#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

/// What CLI11 knows of a command line, as both pages ask for it.
namespace flipback::pages {

std::vector<const CLI::App*> verbs_of(const CLI::App& of);

/// Those that are shown: options first, in the order in which they were added.
std::vector<const CLI::Option*> options_of(const CLI::App& of);
std::vector<const CLI::Option*> positionals_of(const CLI::App& of);

/// "-c", "--config", as they are typed.
std::vector<std::string> names_of(const CLI::Option& of);

/// What follows an option: "FILE", "TEXT"; empty: nothing does.
std::string value_of(const CLI::Option& of);

/// The words of which one must follow: "text", "json"; empty: any may.
std::vector<std::string> choices_of(const CLI::Option& of);

}  // namespace flipback::pages
