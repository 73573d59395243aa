#pragma once

#include <sys/types.h>

#include <memory>
#include <string_view>

namespace flipback::rollback {

/// What the journal does to the disk, so that a test can tear it, fail it, fill it and let it hang. From the journal's thread.
class disk {
 public:
  virtual ~disk() = default;
  /// Each as the system call of its name; what it gives is 0 or an errno. `write_at` writes all of it, or an unknown part and an errno.
  virtual int write_at(int fd, std::string_view bytes, off_t at) = 0;
  virtual int sync(int fd) = 0;
  virtual int allocate(int fd, off_t bytes) = 0;
};

std::shared_ptr<disk> make_disk();

}  // namespace flipback::rollback
