#include "probes/postgres/hush.hpp"

#include <linux/filter.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>

namespace flipback::postgres {

namespace {

constexpr unsigned much = 32 * 1024;  ///< bytes: what libpq has to have before it reads on within a call

bool has_said_much(int fd) {
  tcp_info info{};
  socklen_t size = sizeof(info);
  constexpr std::size_t told = offsetof(tcp_info, tcpi_bytes_received) + sizeof(info.tcpi_bytes_received);
  return ::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && size >= told && info.tcpi_bytes_received >= much;
}

}  // namespace

hush::hush(int fd) {
  if (!has_said_much(fd)) return;
  sock_filter nothing_passes{BPF_RET | BPF_K, 0, 0, 0};
  const sock_fprog program{1, &nothing_passes};
  if (::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0) fd_ = fd;
}

hush::~hush() {
  int unused = 0;
  if (fd_ >= 0) ::setsockopt(fd_, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof(unused));
}

}  // namespace flipback::postgres
