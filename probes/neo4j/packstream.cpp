#include "probes/neo4j/packstream.hpp"

#include <fmt/format.h>

#include <bit>
#include <limits>
#include <optional>

namespace flipback::neo4j {

namespace {

constexpr unsigned deepest = 32;
constexpr unsigned most_values = 131'072;

/// The markers of a type whose size is small enough to stand in the marker itself, or in 8, 16 or 32 bits after it (0: it has none such).
struct sized {
  std::uint8_t tiny;
  std::uint8_t in_8;
  std::uint8_t in_16;
  std::uint8_t in_32;
};
constexpr sized strings{0x80, 0xD0, 0xD1, 0xD2};
constexpr sized lists{0x90, 0xD4, 0xD5, 0xD6};
constexpr sized maps{0xA0, 0xD8, 0xD9, 0xDA};
constexpr sized bytes{0, 0xCC, 0xCD, 0xCE};
constexpr std::uint8_t tiny_structure = 0xB0;

void put(std::string& into, std::uint64_t value, unsigned size) {
  for (unsigned i = size; i-- > 0;) into += static_cast<char>(value >> (8 * i) & 0xFF);
}

void put_size(std::string& into, const sized& markers, std::size_t size) {
  if (size < 16) return put(into, markers.tiny + size, 1);
  const unsigned wide = size <= 0xFF ? 1 : size <= 0xFFFF ? 2 : 4;
  put(into, wide == 1 ? markers.in_8 : wide == 2 ? markers.in_16 : markers.in_32, 1);
  put(into, size, wide);
}

void put_integer(std::string& into, std::int64_t value) {
  const auto fits = [&](auto example) {
    using limits = std::numeric_limits<decltype(example)>;
    return value >= limits::min() && value <= limits::max();
  };
  if (value >= -16 && value <= 127) return put(into, static_cast<std::uint64_t>(value), 1);
  const unsigned wide = fits(std::int8_t{}) ? 1 : fits(std::int16_t{}) ? 2 : fits(std::int32_t{}) ? 4 : 8;
  put(into, 0xC8 + static_cast<unsigned>(std::countr_zero(wide)), 1);
  put(into, static_cast<std::uint64_t>(value), wide);
}

void put_value(std::string& into, const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return put(into, 0xC0, 1);
    case json::kind::bool_:
      return put(into, value.get_bool() ? 0xC3 : 0xC2, 1);
    case json::kind::int64:
      return put_integer(into, value.get_int64());
    case json::kind::uint64:
      return put_integer(into, static_cast<std::int64_t>(value.get_uint64()));
    case json::kind::double_:
      put(into, 0xC1, 1);
      return put(into, std::bit_cast<std::uint64_t>(value.get_double()), 8);
    case json::kind::string:
      put_size(into, strings, value.get_string().size());
      into += std::string_view(value.get_string());
      return;
    case json::kind::array:
      put_size(into, lists, value.get_array().size());
      for (const json::value& item : value.get_array()) put_value(into, item);
      return;
    case json::kind::object:
      put_size(into, maps, value.get_object().size());
      for (const auto& [key, item] : value.get_object()) {
        put_size(into, strings, key.size());
        into += std::string_view(key);
        put_value(into, item);
      }
      return;
  }
}

/// Reads one value after the other; the first mistake ends it by an exception of its own, which does not leave this file.
struct mistake {
  std::string_view says;
};

class reader {
 public:
  explicit reader(std::string_view from) : rest_(from) {}

  [[nodiscard]] bool at_end() const { return rest_.empty(); }

  std::uint64_t number(unsigned size, std::string_view inside) {
    std::uint64_t value = 0;
    for (const char c : take(size, inside)) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  }

  json::value value(unsigned depth = 0) {
    if (depth > deepest) throw mistake{"is nested too deep"};
    if (++values_ > most_values) throw mistake{"has more than 131,072 values"};
    const auto marker = static_cast<std::uint8_t>(number(1, "ends before a value"));
    if (marker < 0x80) return marker;
    if (marker >= 0xF0) return static_cast<std::int64_t>(marker) - 0x100;
    switch (marker) {
      case 0xC0:
        return nullptr;
      case 0xC1:
        return std::bit_cast<double>(number(8, "ends in the middle of a number"));
      case 0xC2:
        return false;
      case 0xC3:
        return true;
      case 0xC8:
      case 0xC9:
      case 0xCA:
      case 0xCB:
        return integer(1U << (marker - 0xC8U));
      default:
        break;
    }
    if (const auto size = size_of(strings, marker)) return json::string(take(*size, "ends in the middle of a string"));
    if (const auto size = size_of(lists, marker)) return list(*size, depth);
    if (const auto size = size_of(maps, marker)) return map(*size, depth);
    if (const auto size = size_of(bytes, marker)) {
      take(*size, "ends in the middle of bytes");
      return nullptr;
    }
    if ((marker & 0xF0U) == tiny_structure) {
      take(1, "ends before a structure's tag");
      list(marker & 0x0FU, depth);
      return nullptr;
    }
    throw mistake{"has an unknown marker"};
  }

  json::array list(std::uint64_t size, unsigned depth) {
    json::array made;
    for (; size > 0; --size) made.push_back(value(depth + 1));  // each takes a byte at least, so the end is near
    return made;
  }

 private:
  std::string_view take(std::uint64_t size, std::string_view or_says) {
    if (size > rest_.size()) throw mistake{or_says};
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::int64_t integer(unsigned size) {
    const unsigned unused = 64 - 8 * size;
    return static_cast<std::int64_t>(number(size, "ends in the middle of a number") << unused) >> unused;
  }

  std::optional<std::uint64_t> size_of(const sized& markers, std::uint8_t marker) {
    if (markers.tiny != 0 && (marker & 0xF0U) == markers.tiny) return marker & 0x0FU;
    constexpr std::string_view ends = "ends in the middle of a size";
    if (marker == markers.in_8) return number(1, ends);
    if (marker == markers.in_16) return number(2, ends);
    if (marker == markers.in_32) return number(4, ends);
    return std::nullopt;
  }

  json::object map(std::uint64_t size, unsigned depth) {
    json::object made;
    for (; size > 0; --size) {
      const json::value key = value(depth + 1);
      if (!key.is_string()) throw mistake{"has a key that is no string"};
      made.insert_or_assign(key.get_string(), value(depth + 1));
    }
    return made;
  }

  std::string_view rest_;
  unsigned values_ = 0;
};

}  // namespace

std::string packed(const message& m) {
  std::string made;
  put(made, tiny_structure + m.fields.size(), 1);
  put(made, m.tag, 1);
  for (const json::value& field : m.fields) put_value(made, field);
  return made;
}

std::expected<message, std::string> unpacked(std::string_view text) {
  try {
    reader in(text);
    const std::uint64_t marker = in.number(1, "is empty");
    if ((marker & 0xF0U) != tiny_structure) return std::unexpected("is no structure");
    message made;
    made.tag = static_cast<std::uint8_t>(in.number(1, "ends before its tag"));
    made.fields = in.list(marker & 0x0FU, 0);
    if (!in.at_end()) return std::unexpected("goes on after its end");
    return made;
  } catch (const mistake& m) {
    return std::unexpected(std::string(m.says));
  }
}

}  // namespace flipback::neo4j
