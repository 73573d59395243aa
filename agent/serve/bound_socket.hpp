#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace flipback::serve {

/// A listening Unix socket and the file by which others find it, which anybody with a right to the folder can remove or replace.
class bound_socket {
 public:
  /// Binds and listens, with the mode 0660. Throws boost::system::system_error, also where something is at the path.
  bound_socket(boost::asio::io_context& loop, std::string path);
  /// Removes the file, if it is still this socket's own.
  ~bound_socket();
  bound_socket(const bound_socket&) = delete;
  bound_socket& operator=(const bound_socket&) = delete;

  enum class file : std::uint8_t {
    own,       ///< whoever connects at the path gets here
    gone,      ///< there is nothing at the path
    others,    ///< something else is there, another agent's socket perhaps
    not_known  ///< it can't be looked at
  };
  [[nodiscard]] file look() const;

  boost::asio::local::stream_protocol::acceptor acceptor;

 private:
  std::string path_;
  dev_t device_ = 0;
  ino_t number_ = 0;
};

}  // namespace flipback::serve
