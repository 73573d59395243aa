#pragma once

#include "probes/net/network.hpp"

#include <memory>
#include <string>
#include <vector>

namespace flipback::net {

/// Name look-ups through c-ares on the caller's loop: the hosts file, then the name servers of the machine or those given
/// ("127.0.0.1:5353"). A look-up that nobody waits for any more goes on alone and holds nobody up.
class resolver {
 public:
  resolver(const asio::any_io_executor& executor, const std::vector<std::string>& name_servers);
  ~resolver();
  resolver(const resolver&) = delete;
  resolver& operator=(const resolver&) = delete;

  asio::awaitable<result<std::vector<asio::ip::address>>> resolve(const std::string& name);

 private:
  struct channel;
  std::shared_ptr<channel> channel_;
};

}  // namespace flipback::net
