#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// Starting a program, and taking what it writes.
namespace flipback::process {

/// Standard output and error: in one text, or each in its own.
enum class outputs : std::uint8_t { together, apart };

struct child {
  pid_t pid = -1;
  int end = -1;     ///< a pidfd: readable once it has ended
  int output = -1;  ///< the pipe's read end; -1: it writes to where it was told
  int errors = -1;  ///< where they are apart
};

/// Whether the program is there and executable: where it is named, or, without a slash, in one of PATH's folders.
bool can_be_started(const std::string& program);

/// Starts it without a shell, in its own process group, with none of our descriptors. On standard input it has this text, whole before it
/// starts. An error is one sentence.
std::expected<child, std::string> start(const std::vector<std::string>& argv, outputs kept, std::string_view input = {});
/// The same without any input, and all that it writes goes to this descriptor.
std::expected<child, std::string> start(const std::vector<std::string>& argv, int into);

/// What a child writes into a pipe: read as it comes, so that a full pipe does not stop it; beyond the bound it is thrown away.
class outlet : public std::enable_shared_from_this<outlet> {
 public:
  outlet(const boost::asio::any_io_executor& executor, int pipe, std::size_t most);
  void read();    ///< until the end or `close`
  void finish();  ///< takes what is still there, and closes
  void close();
  std::string taken;

 private:
  bool take_what_is_there();
  boost::asio::posix::stream_descriptor pipe_;
  std::size_t most_;
};

}  // namespace flipback::process
