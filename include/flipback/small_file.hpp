#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>

namespace flipback {

/// Where there is something at this path that reading might wait for, or never end with: "is a FIFO, expected a regular file". Nothing
/// where it is a regular file or a folder, or can't be looked at: opening it then says more.
std::optional<std::string> unreadable_kind(const std::string& path);

/// All that a regular file holds. Never waits for whoever is at the other end of a FIFO or a device. An error is a phrase that goes on a
/// sentence about the file: "is longer than 1MiB".
std::expected<std::string, std::string> read_small_file(const std::string& path, std::size_t most = 1024 * 1024);

}  // namespace flipback
