#pragma once

#include "flipback/descriptor.hpp"

#include <sys/types.h>

#include <string>
#include <string_view>

/// The dotfiles beside a path, and the little that everything which works with single files needs.
namespace flipback::rollback {

enum class dotfile : unsigned char {
  fresh,   ///< written, to be renamed
  room,    ///< space that is held for the next one
  kept,    ///< what the path said before
  trial,   ///< whether one can be made here
  theirs,  ///< what somebody else wrote and could not be given back; nobody sweeps it
  lock
};

std::string folder_of(const std::string& path);
std::string beside(const std::string& path, dotfile which);

/// "can't DOING PATH: the system's words", with what to do where that is known from the error number.
std::string cant(std::string_view doing, const std::string& path, int error);

/// 0, or the error number.
int sync_folder_of(const std::string& path);
/// All of it, from this byte of the file on: 0, or the error number.
int write_all(int fd, std::string_view bytes, off_t at = 0);

}  // namespace flipback::rollback
