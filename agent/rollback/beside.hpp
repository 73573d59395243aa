#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <utility>

/// The dotfiles beside a path, and the little that everything which works with single files needs.
namespace flipback::rollback {

/// A file descriptor that is closed with its owner.
class descriptor {
 public:
  explicit descriptor(int fd = -1) : fd_(fd) {}
  descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~descriptor();
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

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
