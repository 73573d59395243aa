#pragma once

#include <string>
#include <string_view>

/// The file that `flipback init --output FILE` writes: a new one, whole or not at all. What is in the way is a sentence that says what was
/// found, and where, and what to type; empty: nothing.
namespace flipback::init {

/// As far as is seen without making a file.
std::string obstacle_to_write(const std::string& path);

/// Makes the file; nothing of it is left where that fails.
std::string write_new_file(const std::string& path, std::string_view text);

/// The same text to standard output.
std::string write_to_standard_output(std::string_view text);

}  // namespace flipback::init
