#pragma once

namespace flipback::postgres {

/// While it lives, nothing more comes in over this socket, if its peer has said much already: the kernel drops it, and the peer sends it
/// again. Within one call libpq reads on for as long as more is there, into room for as long a message as the peer has announced: a peer
/// that never pauses would keep it there, and fill the memory. Below 32 KiB libpq stops by itself, and nothing is dropped.
/// What is dropped costs a longer answer a few milliseconds, now and then the 200 that TCP waits; and a reset that comes within those
/// microseconds is found out by the run's time limit alone.
class hush {
 public:
  explicit hush(int fd);
  ~hush();
  hush(const hush&) = delete;
  hush& operator=(const hush&) = delete;

 private:
  int fd_ = -1;  ///< -1: the peer is brief, or is no TCP
};

}  // namespace flipback::postgres
