#include "agent/config/own_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <vector>

namespace flipback::config {

namespace {

namespace fs = std::filesystem;

struct own_file {
  std::string table;
  std::string key;   ///< that names it, or the file that it lies beside
  std::string what;  ///< "the record's older half"
  fs::path path;
};

fs::path whole(const fs::path& path) {
  std::error_code unknown;
  const fs::path absolute = fs::absolute(path, unknown);
  return (unknown ? path : absolute).lexically_normal();
}

std::vector<own_file> files_of(const configuration& read) {
  const std::string& state = read.agent.state;
  std::vector<own_file> all;
  all.push_back({"agent", "state", "agent.state", state});
  all.push_back({"agent", "state", "the journal beside agent.state", fs::path(state).replace_extension(".journal")});
  all.push_back(
      {"agent", "state", "the note of a running switch command beside agent.state", fs::path(state).replace_extension(".command")});
  for (const char* ending : {"-wal", "-shm", ".lock"}) all.push_back({"agent", "state", "a file beside agent.state", state + ending});
  all.push_back({"agent", "socket", "agent.socket", read.agent.socket.empty() ? std::string(usual_socket) : read.agent.socket});
  if (read.record) {
    all.push_back({"record", "path", "record.path", read.record->path});
    all.push_back({"record", "path", "the older file beside record.path", read.record->path + ".1"});
  }
  return all;
}

/// Said of the later key that is written: the other may be a default.
void report(settings::section& root, const own_file& first, const own_file& second) {
  auto table = root.inner(second.table);
  const bool written = table && table->has(second.key);
  const own_file& blamed = written ? second : first;
  const own_file& other = written ? first : second;
  if (!written) table = root.inner(first.table);
  if (!table || !table->has(blamed.key)) return;
  const bool named_itself = blamed.what == fmt::format("{}.{}", blamed.table, blamed.key);
  table->report(blamed.key, fmt::format("found {}, {} {}; expected a file of its own", table->shown(blamed.key),
                                        named_itself ? "which is" : blamed.what + " would be", other.what));
}

}  // namespace

void check_own_files(settings::section& root, const configuration& read) {
  const std::vector<own_file> all = files_of(read);
  for (std::size_t second = 1; second < all.size(); ++second) {
    const auto same = [&](const own_file& first) { return !first.path.empty() && whole(first.path) == whole(all[second].path); };
    const auto first = std::find_if(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(second), same);
    if (first != all.begin() + static_cast<std::ptrdiff_t>(second)) report(root, *first, all[second]);
  }
}

}  // namespace flipback::config
