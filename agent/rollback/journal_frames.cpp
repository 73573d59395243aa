#include "agent/rollback/journal_frames.hpp"

#include <boost/crc.hpp>

#include <array>
#include <cstring>

namespace flipback::rollback::frames {

namespace {

// No byte sequence of a row's text, which is UTF-8.
constexpr std::array<char, 8> head_mark{'\xff', 'F', 'L', 'I', 'P', 'J', 'R', '\n'};
constexpr std::array<char, 8> frame_mark{'\xff', 'F', 'L', 'I', 'P', 'R', 'O', 'W'};

struct head_layout {
  std::array<char, 8> mark;
  std::uint32_t version;
  std::uint32_t sum;  ///< of all of it, with a 0 here
  std::uint64_t turn;
  std::uint64_t closed_through;
};

struct frame_layout {
  std::array<char, 8> mark;
  std::uint32_t size;
  std::uint32_t sum;  ///< of all of it, with a 0 here, and of the text
  std::uint64_t attempt;
  std::uint64_t number;
};

/// CRC-32C (RFC 3720, appendix B.4).
template <typename Layout>
std::uint32_t sum_of(Layout layout, std::string_view text) {
  layout.sum = 0;
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> sum;
  sum.process_bytes(&layout, sizeof layout);
  sum.process_bytes(text.data(), text.size());
  return sum.checksum();
}

template <typename Layout>
std::optional<Layout> layout_at(std::string_view file, std::size_t at, const std::array<char, 8>& mark) {
  if (at > file.size() || file.size() - at < sizeof(Layout)) return std::nullopt;
  Layout found;
  std::memcpy(&found, file.data() + at, sizeof found);
  if (found.mark != mark) return std::nullopt;
  return found;
}

template <typename Layout>
std::string bytes_of(Layout layout, std::string_view text) {
  layout.sum = sum_of(layout, text);
  std::string made(sizeof layout, '\0');
  std::memcpy(made.data(), &layout, sizeof layout);
  return made.append(text);
}

}  // namespace

std::string to_bytes(const head& h) {
  return bytes_of(head_layout{head_mark, h.version, 0, h.turn, h.closed_through}, {});
}

std::size_t place_of(const head& h) {
  return h.turn % 2 * block;
}

std::string to_bytes(const frame& f) {
  return bytes_of(frame_layout{frame_mark, static_cast<std::uint32_t>(f.text.size()), 0, f.attempt, f.number}, f.text);
}

std::size_t size_of(std::size_t text) {
  return (sizeof(frame_layout) + text + block - 1) / block * block;
}

std::optional<head> head_in(std::string_view file) {
  std::optional<head> newest;
  for (const std::size_t at : {std::size_t{0}, block}) {
    const auto found = layout_at<head_layout>(file, at, head_mark);
    if (!found || found->sum != sum_of(*found, {})) continue;
    if (!newest || found->turn > newest->turn) newest = head{found->turn, found->closed_through, found->version};
  }
  return newest;
}

std::optional<frame> frame_at(std::string_view file, std::size_t at) {
  const auto found = layout_at<frame_layout>(file, at, frame_mark);
  if (!found || found->size > largest || file.size() - at - sizeof(frame_layout) < found->size) return std::nullopt;
  const std::string_view text = file.substr(at + sizeof(frame_layout), found->size);
  if (found->sum != sum_of(*found, text)) return std::nullopt;
  return frame{found->attempt, found->number, text};
}

bool any_from(std::string_view file, std::size_t at, std::uint64_t attempt) {
  for (; at < file.size(); at += block) {
    const auto found = frame_at(file, at);
    if (found && found->attempt >= attempt) return true;
  }
  return false;
}

}  // namespace flipback::rollback::frames
