#include "agent/deployment/fact_text.hpp"

#include <boost/json/object.hpp>

#include <array>
#include <cstdint>

namespace flipback::deployment {

namespace json = boost::json;

namespace {

constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string to_base64(std::string_view bytes) {
  std::string made;
  made.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t three = 0;
    for (std::size_t k = 0; k < 3; ++k) three = three << 8U | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k) made += i + k <= bytes.size() ? letters[three >> (18 - 6 * k) & 63U] : '=';
  }
  return made;
}

constexpr std::array<std::uint8_t, 256> values_of_letters = [] {
  std::array<std::uint8_t, 256> made{};
  made.fill(64);
  for (std::size_t i = 0; i < letters.size(); ++i) made[static_cast<unsigned char>(letters[i])] = static_cast<std::uint8_t>(i);
  return made;
}();

/// Only what `to_base64` writes: anything else was changed since.
std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  std::string made;
  made.reserve(text.size() / 4 * 3);
  for (std::size_t i = 0; i < text.size(); i += 4) {
    const std::size_t missing = i + 4 == text.size() ? padding : 0;
    std::uint32_t three = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      const std::uint32_t value = k < 4 - missing ? values_of_letters[static_cast<unsigned char>(text[i + k])] : 0;
      if (value > 63) return std::nullopt;
      three = three << 6U | value;
    }
    for (std::size_t k = 0; k < 3 - missing; ++k) made += static_cast<char>(three >> (16 - 8 * k) & 255U);
    if (missing > 0 && (three & ((1U << 8 * missing) - 1)) != 0) return std::nullopt;
  }
  return made;
}

/// Boost.JSON's parser is strict about UTF-8, its serializer isn't: what it could not read back is found out here, once.
bool is_utf8(std::string_view text) {
  const auto tail = [text](std::size_t i, unsigned low, unsigned high) {
    return i < text.size() && static_cast<unsigned char>(text[i]) >= low && static_cast<unsigned char>(text[i]) <= high;
  };
  for (std::size_t i = 0; i < text.size();) {
    const unsigned first = static_cast<unsigned char>(text[i]);
    if (first < 0x80) {
      ++i;
      continue;
    }
    const std::size_t more = first >= 0xC2 && first <= 0xDF   ? 1
                             : first >= 0xE0 && first <= 0xEF ? 2
                             : first >= 0xF0 && first <= 0xF4 ? 3
                                                              : 0;
    const unsigned low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    const unsigned high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (more == 0 || !tail(i + 1, low, high)) return false;
    for (std::size_t k = 2; k <= more; ++k) {
      if (!tail(i + k, 0x80, 0xBF)) return false;
    }
    i += 1 + more;
  }
  return true;
}

template <typename Time>
json::value nanoseconds_of(Time at) {
  return std::int64_t{std::chrono::duration_cast<std::chrono::nanoseconds>(at.time_since_epoch()).count()};
}

}  // namespace

json::value fact_value(std::string_view text) {
  if (is_utf8(text)) return json::string(text);
  return json::object{{"base64", to_base64(text)}};
}

json::value fact_value(wall_time at) {
  return nanoseconds_of(at);
}

json::value fact_value(instant at) {
  return nanoseconds_of(at);
}

json::value fact_value(const stamp& at) {
  return json::object{{"boot", fact_value(at.boot_id)}, {"monotonic", fact_value(at.monotonic)}, {"wall", fact_value(at.wall)}};
}

json::value fact_bytes(std::string_view bytes) {
  return json::string(to_base64(bytes));
}

std::optional<std::string> bytes_of_fact(std::string_view base64) {
  return from_base64(base64);
}

}  // namespace flipback::deployment
