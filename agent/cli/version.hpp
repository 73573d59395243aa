#pragma once

#include <string>

namespace flipback::cli {

/// Two lines: this version with the commit that it was built of; then the libraries with their versions, of those that tell it the one that
/// runs, of the others the one that this was built with.
std::string version_text();

}  // namespace flipback::cli
