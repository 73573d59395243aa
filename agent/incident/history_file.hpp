#pragma once

#include "flipback/event.hpp"

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <vector>

/// What happened, on disk. All of this blocks.
namespace flipback::incident {

/// An event as it is kept.
struct happening {
  wall_time at;  ///< to the millisecond
  event what;
};

/// Where it is: on disk, and what no disk has taken yet.
struct record {
  std::string file;
  std::vector<happening> unwritten;
};

inline constexpr std::size_t most_kept = 20'000;             ///< events; the oldest go first
inline constexpr std::size_t most_evidence = 4'000;          ///< of those, of what was put on record with incidents
inline constexpr duration kept_for = std::chrono::days(90);  ///< by the wall's clock
inline constexpr std::size_t longest_log = 8 * 1024 * 1024;  ///< bytes of the operations' log: then it becomes the file's `.1`

/// Adds to a history, in one transaction, and lets go of what is too old or too much. The file is made where there is none, its owner's
/// alone; one that is damaged, or another program's, is put aside, which is the sentence that it gives; else "". An error is one sentence;
/// nothing of it is kept then.
std::expected<std::string, std::string> append_to_history(const std::string& file, const std::vector<happening>& all);

/// Adds whole lines to the operations' log, which its owner's group may read.
std::expected<void, std::string> append_to_log(const std::string& file, const std::string& lines);

/// Of one incident its operations, its verdicts and the newest 4,000 others, the oldest first; without an id, all events that begin or end
/// one.
std::expected<std::vector<happening>, std::string> read_incident(const std::string& file, const std::optional<std::string>& id);
/// The id of the incident that has not ended; empty: there is none.
std::expected<std::string, std::string> read_open_incident(const std::string& file);
/// The newest operations, the oldest of them first.
std::expected<std::vector<happening>, std::string> read_operations(const std::string& file, std::size_t most);

}  // namespace flipback::incident
