#pragma once

#include "flipback/error_shares.hpp"

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace flipback::access_log {

/// A bounded number of the requests that failed, each with the same chance of being among them (Vitter, "Random sampling with a reservoir",
/// 1985). Holds queries as clients sent them.
class failed_sample {
 public:
  static constexpr std::size_t most = 32;
  struct one {
    failed_request request;
    double began = 0;  ///< seconds since 1970
  };

  void add(one failed, std::minstd_rand& chance);
  /// Adds what another has seen; each keeps its weight.
  void merge(failed_sample other, std::minstd_rand& chance);
  [[nodiscard]] const std::vector<one>& kept() const { return kept_; }

 private:
  std::vector<one> kept_;
  std::uint64_t seen_ = 0;
};

}  // namespace flipback::access_log
