#pragma once

#include <boost/crc.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

/// What a record's bytes mean: between its writer and its reader alone.
namespace flipback::rules::replay {

/// What an entry begins with.
enum class tag : std::uint8_t { beginning = 1, declared, sampled, cut_over, window_changed, unwatched, hold_changed, unlatched, resumed };
constexpr std::uint8_t of(tag t) {
  return static_cast<std::uint8_t>(t);
}

/// What a sample's value begins with; beside it, whether it is quiet.
enum class shape : std::uint8_t { absent, number, whole, pooled, whole_pooled, sketch, histogram, ratios };
inline constexpr std::uint8_t is_quiet = 0x80;

inline constexpr std::size_t checksum_size = 4;
inline std::uint32_t checksum(std::string_view bytes) {
  boost::crc_32_type sum;
  sum.process_bytes(bytes.data(), bytes.size());
  return sum.checksum();
}

}  // namespace flipback::rules::replay
