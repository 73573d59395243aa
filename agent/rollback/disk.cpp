#include "agent/rollback/disk.hpp"

#include "agent/rollback/beside.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace flipback::rollback {

namespace {

class real_disk final : public disk {
 public:
  int write_at(int fd, std::string_view bytes, off_t at) override { return write_all(fd, bytes, at); }
  int sync(int fd) override { return ::fdatasync(fd) == 0 ? 0 : errno; }
  int allocate(int fd, off_t bytes) override { return ::posix_fallocate(fd, 0, bytes); }
};

}  // namespace

std::shared_ptr<disk> make_disk() {
  return std::make_shared<real_disk>();
}

}  // namespace flipback::rollback
