#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// How the journal's file is laid out: two heads of one block each, written by turns, then a frame a row. Each begins a block of its own,
/// so that a write that is torn hurts nothing that was there before. In this machine's byte order. Pure.
namespace flipback::rollback::frames {

inline constexpr std::size_t block = 4096;  ///< bytes
inline constexpr std::size_t first_frame = 2 * block;
inline constexpr std::size_t largest = 64 * 1024 * 1024;  ///< bytes of a row's text
inline constexpr std::uint32_t version = 1;

/// What the newest head says: every attempt up to this one is over. Attempts are counted from 1, so the one that may be open is the next.
struct head {
  std::uint64_t turn = 0;  ///< counts heads; the newest that is whole is the one that counts
  std::uint64_t closed_through = 0;
  std::uint32_t version = frames::version;
};
std::string to_bytes(const head& h);
/// Where a head of that turn is written.
std::size_t place_of(const head& h);

struct frame {
  std::uint64_t attempt = 0;
  std::uint64_t number = 0;
  std::string_view text;
};
std::string to_bytes(const frame& f);
/// How much the frame of a text takes, in whole blocks.
std::size_t size_of(std::size_t text);

/// The newest whole head of a file's bytes; nothing where there is none. A head of a newer version is given as it is.
std::optional<head> head_in(std::string_view file);
/// The frame that begins at this byte, whose text is then within `file`; nothing where there is no whole one.
std::optional<frame> frame_at(std::string_view file, std::size_t at);
/// Whether a whole frame of this attempt, or of a later one, begins at a block from this byte on.
bool any_from(std::string_view file, std::size_t at, std::uint64_t attempt);

}  // namespace flipback::rollback::frames
