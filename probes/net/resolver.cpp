#include "probes/net/resolver.hpp"

#include <ares.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>
#include <map>
#include <mutex>
#include <stdexcept>

namespace flipback::net {

namespace {

/// Where a look-up's answer arrives. The waiting run and c-ares each hold it, so either may go first.
struct lookup {
  explicit lookup(const asio::any_io_executor& executor) : answered(executor, asio::steady_timer::time_point::max()) {}
  asio::steady_timer answered;  ///< cancelled when the answer is there
  bool done = false;
  int status = ARES_SUCCESS;
  std::vector<asio::ip::address> addresses;
};

asio::ip::address address_of(const sockaddr& from) {
  if (from.sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &from, sizeof v4);
    return asio::ip::address_v4(ntohl(v4.sin_addr.s_addr));
  }
  sockaddr_in6 v6{};
  std::memcpy(&v6, &from, sizeof v6);
  asio::ip::address_v6::bytes_type bytes;
  std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
  return asio::ip::address_v6(bytes, v6.sin6_scope_id);
}

void on_answer(void* argument, int status, int /*timeouts*/, ares_addrinfo* found) {
  const std::unique_ptr<std::shared_ptr<lookup>> held(static_cast<std::shared_ptr<lookup>*>(argument));
  lookup& to = **held;
  to.done = true;
  to.status = status;
  if (found != nullptr) {
    for (const ares_addrinfo_node* at = found->nodes; at != nullptr; at = at->ai_next) to.addresses.push_back(address_of(*at->ai_addr));
    ares_freeaddrinfo(found);
  }
  to.answered.cancel();
}

failure failure_of_lookup(int status, const std::string& name) {
  switch (status) {
    case ARES_ENOTFOUND:
    case ARES_ENODATA:
    case ARES_EBADNAME:
      return {reason::no_such_name, fmt::format("the name {} does not exist", name)};
    case ARES_ENOMEM:
      return {reason::own_limits, "no memory left for a name look-up"};
    default:
      return {reason::no_resolver, fmt::format("the name server gave no answer for {} ({})", name, ares_strerror(status))};
  }
}

}  // namespace

struct resolver::channel : std::enable_shared_from_this<resolver::channel> {
  explicit channel(const asio::any_io_executor& executor) : retry(executor) {}

  asio::steady_timer retry;  ///< c-ares' own time-outs
  ares_channel ares = nullptr;
  struct watched {
    explicit watched(const asio::any_io_executor& executor, int fd) : descriptor(executor, fd) {}
    asio::posix::stream_descriptor descriptor;
    bool readable = false;
    bool writable = false;
  };
  std::map<int, std::shared_ptr<watched>> sockets;

  void open(const std::vector<std::string>& name_servers) {
    static std::once_flag initialised;
    std::call_once(initialised, [] { ares_library_init(ARES_LIB_INIT_ALL); });
    ares_options options{};
    options.timeout = 1000;
    options.tries = 3;
    options.sock_state_cb = [](void* self, ares_socket_t fd, int readable, int writable) {
      static_cast<channel*>(self)->watch(fd, readable != 0, writable != 0);
    };
    options.sock_state_cb_data = this;
    const int made = ares_init_options(&ares, &options, ARES_OPT_SOCK_STATE_CB | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
    if (made != ARES_SUCCESS) throw std::runtime_error(fmt::format("can't set up name look-ups: {}", ares_strerror(made)));
    if (name_servers.empty()) return;
    const std::string list = fmt::format("{}", fmt::join(name_servers, ","));
    if (const int set = ares_set_servers_ports_csv(ares, list.c_str()); set != ARES_SUCCESS) {
      throw std::runtime_error(fmt::format("can't use the name servers {}: {}", list, ares_strerror(set)));
    }
  }

  void close() {
    if (ares != nullptr) ares_destroy(ares);  // answers what is under way with ARES_EDESTRUCTION, and closes its sockets
    ares = nullptr;
    retry.cancel();
  }

  // c-ares owns the socket: we only lend it to Asio to wait on.
  void watch(int fd, bool readable, bool writable) {
    auto at = sockets.find(fd);
    if (!readable && !writable) {
      if (at == sockets.end()) return;
      at->second->descriptor.release();
      sockets.erase(at);
      return;
    }
    if (at == sockets.end()) at = sockets.emplace(fd, std::make_shared<watched>(retry.get_executor(), fd)).first;
    if (readable && !std::exchange(at->second->readable, true)) wait(at->second, fd, asio::posix::stream_descriptor::wait_read);
    if (writable && !std::exchange(at->second->writable, true)) wait(at->second, fd, asio::posix::stream_descriptor::wait_write);
  }

  void wait(const std::shared_ptr<watched>& on, int fd, asio::posix::stream_descriptor::wait_type what) {
    on->descriptor.async_wait(what, [self = shared_from_this(), on, fd, what](const boost::system::error_code& error) {
      const bool reading = what == asio::posix::stream_descriptor::wait_read;
      (reading ? on->readable : on->writable) = false;
      if (error || self->ares == nullptr) return;
      ares_process_fd(self->ares, reading ? fd : ARES_SOCKET_BAD, reading ? ARES_SOCKET_BAD : fd);
      const auto still = self->sockets.find(fd);
      if (still != self->sockets.end() && still->second == on && reading && !std::exchange(on->readable, true)) self->wait(on, fd, what);
      self->arm();
    });
  }

  void arm() {
    timeval buffer{};
    const timeval* const next = ares_timeout(ares, nullptr, &buffer);
    if (next == nullptr) {
      retry.cancel();
      return;
    }
    retry.expires_after(std::chrono::seconds(next->tv_sec) + std::chrono::microseconds(next->tv_usec));
    retry.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (error || self->ares == nullptr) return;
      ares_process_fd(self->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
      self->arm();
    });
  }
};

resolver::resolver(const asio::any_io_executor& executor, const std::vector<std::string>& name_servers)
    : channel_(std::make_shared<channel>(executor)) {
  channel_->open(name_servers);
}

resolver::~resolver() {
  channel_->close();
}

asio::awaitable<result<std::vector<asio::ip::address>>> resolver::resolve(const std::string& name) {
  const auto waiting = std::make_shared<lookup>(channel_->retry.get_executor());
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  ares_getaddrinfo(channel_->ares, name.c_str(), nullptr, &hints, on_answer, new std::shared_ptr<lookup>(waiting));
  if (!waiting->done) {
    channel_->arm();
    co_await waiting->answered.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  if (!waiting->done) throw boost::system::system_error(asio::error::operation_aborted);
  if (waiting->status != ARES_SUCCESS) co_return std::unexpected(failure_of_lookup(waiting->status, name));
  co_return std::move(waiting->addresses);
}

}  // namespace flipback::net
