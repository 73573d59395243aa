#pragma once

#include "agent/rollback/change.hpp"

#include <string>

/// What a file has besides its bytes, and what the file system lets be done with it.
namespace flipback::rollback {

/// Gives a new, open file the owner and mode of the image, and the extended attributes (access control lists among them) of what stands at
/// `like`, if that is a regular file. "" or one sentence on what can't be kept.
std::string keep_attributes(int fresh, const file_image& of, const std::string& like);

/// Whether the path itself is a mount point, a file that was mounted alone among them.
bool is_mount_point(const std::string& path);

/// What keeps the path from being renamed over though its folder can be written: "" or one sentence with what to type.
std::string fixed_in_place(const std::string& path);

}  // namespace flipback::rollback
