#include "agent/serve/bound_socket.hpp"

#include <boost/system/system_error.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace flipback::serve {

bound_socket::bound_socket(boost::asio::io_context& loop, std::string path) : acceptor(loop), path_(std::move(path)) {
  acceptor.open();
  const mode_t before = ::umask(0117);
  boost::system::error_code error;
  acceptor.bind(path_, error);
  ::umask(before);
  if (error) throw boost::system::system_error(error);
  acceptor.listen();
  struct stat made{};
  if (::lstat(path_.c_str(), &made) != 0) return;  // removed at once: it will be found gone
  device_ = made.st_dev;
  number_ = made.st_ino;
}

bound_socket::~bound_socket() {
  if (acceptor.is_open() && look() == file::own) ::unlink(path_.c_str());
}

/// The kernel keeps the inode of a socket: while it is open, no other file has its number.
bound_socket::file bound_socket::look() const {
  struct stat found{};
  if (::lstat(path_.c_str(), &found) != 0) return errno == ENOENT || errno == ENOTDIR ? file::gone : file::not_known;
  return found.st_dev == device_ && found.st_ino == number_ ? file::own : file::others;
}

}  // namespace flipback::serve
