#pragma once

#include "probes/net/stream.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace flipback::fuzz {

inline void hold(bool condition) {
  if (!condition) std::abort();
}

/// A server that sends this, so many bytes at once, and hangs up.
class spoken final : public net::stream {
 public:
  spoken(std::string_view bytes, std::size_t at_once) : left_(bytes), at_once_(at_once) {}
  asio::awaitable<net::result<std::size_t>> read_some(asio::mutable_buffer into) override {
    const std::size_t size = std::min({into.size(), left_.size(), at_once_});
    std::memcpy(into.data(), left_.data(), size);
    left_.remove_prefix(size);
    co_return size;
  }
  asio::awaitable<net::result<void>> write(asio::const_buffer /*unused*/) override { co_return net::result<void>{}; }
  [[nodiscard]] std::optional<double> certificate_days() const override { return std::nullopt; }
  [[nodiscard]] bool certificate_demanded() const override { return false; }

 private:
  std::string_view left_;
  std::size_t at_once_;
};

}  // namespace flipback::fuzz
