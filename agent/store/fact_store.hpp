#pragma once

#include <boost/asio/awaitable.hpp>

#include <expected>
#include <string>

namespace flipback {

/// Where facts are kept: texts by name, each on disk when its call completes without an error. What was asked for first is done first, also
/// where nobody was ready to wait for it. An error is one sentence on why it is not on disk; it may still come to be.
class fact_store {
 public:
  virtual ~fact_store() = default;
  virtual boost::asio::awaitable<std::expected<void, std::string>> put(std::string name, std::string value) = 0;
  virtual boost::asio::awaitable<std::expected<void, std::string>> forget(std::string name) = 0;
};

}  // namespace flipback
