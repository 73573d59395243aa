#pragma once

#include "agent/rollback/change.hpp"
#include "agent/rollback/nginx.hpp"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// What an agent and the helper that has root's rights say to each other: one line each way, and the connection is over. No I/O.
namespace flipback::rollback {

inline constexpr std::size_t longest_order = std::size_t{8} * 1024;   ///< bytes, with the line's end
inline constexpr std::size_t longest_answer = std::size_t{4} * 1024;  ///< bytes, with the line's end

/// One file that an install changes, by hashes: what it says now, and what the slot's configuration makes of it.
struct hashed_change {
  std::string before;
  std::string after;
  friend bool operator==(const hashed_change&, const hashed_change&) = default;
};

struct order {
  enum class verb : std::uint8_t {
    test,     ///< `nginx -t`
    install,  ///< makes the switch name `slot`, if all that changes are `changes`, in the order of the configuration
    could,    ///< whether an install of the same words could be carried out now, tried without leaving a trace
    restore,  ///< puts back what the last install replaced, where it is still what that wrote
    reload    ///< HUP to nginx's master
  };
  verb is = verb::test;
  std::string slot;                    ///< of `install` and `could`
  std::vector<hashed_change> changes;  ///< of `install` and `could`
  friend bool operator==(const order&, const order&) = default;
};

/// A line without its end: "install green BEFORE AFTER". An error is one sentence that repeats nothing of the line.
std::expected<order, std::string> order_in(std::string_view line);
std::string to_text(const order& what);

/// "yes", "no: SENTENCE" or "can't tell: SENTENCE", without the line's end; cut where it would be too long.
std::string to_text(const done& answered);
/// Nothing where it is no answer.
std::optional<done> done_in(std::string_view line);

/// SHA-256 of a file's bytes or of a link's target, in hexadecimal; "absent".
std::string hash_of(const file_image& image);
/// Of changes of files alone.
std::vector<hashed_change> hashed(std::span<const change> changes);

}  // namespace flipback::rollback
