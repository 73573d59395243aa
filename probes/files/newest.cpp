#include "probes/files/newest.hpp"

#include "flipback/errno_of.hpp"
#include "flipback/quoted.hpp"

#include "probes/files/failure.hpp"

#include <fmt/format.h>

#include <fnmatch.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <tuple>

namespace flipback::files {

namespace {

wall_time modified(const struct stat& told) {
  const auto since = std::chrono::seconds(told.st_mtim.tv_sec) + std::chrono::nanoseconds(told.st_mtim.tv_nsec);
  return wall_time(std::chrono::duration_cast<wall_time::duration>(since));
}

/// Counts the file of this name, where it is one; an errno where that can't be seen.
int count(const std::string& folder, const std::string& name, file_search& into) {
  struct stat told{};
  if (::stat(fmt::format("{}/{}", folder, name).c_str(), &told) != 0) {
    const bool leads_nowhere = errno == ENOENT || errno == ENOTDIR || errno == ELOOP;  // a link, or just deleted
    return leads_nowhere ? 0 : errno;
  }
  if (!S_ISREG(told.st_mode)) return 0;
  ++into.matching;
  newest_file seen{name, modified(told), static_cast<std::uint64_t>(told.st_size)};
  if (!into.newest || std::tie(seen.modified, seen.name) > std::tie(into.newest->modified, into.newest->name))
    into.newest = std::move(seen);
  return 0;
}

}  // namespace

net::result<file_search> search_files(const file_pattern& what, std::size_t most) {
  std::error_code error;
  std::filesystem::directory_iterator at(what.folder, error);
  file_search made;
  for (std::size_t seen = 0; !error && at != std::filesystem::directory_iterator(); at.increment(error), ++seen) {
    if (seen == most) {
      made.finished = false;
      break;
    }
    const std::string name = at->path().filename().string();
    if (::fnmatch(what.name.c_str(), name.c_str(), FNM_PERIOD) != 0) continue;
    if (const int unseen = count(what.folder, name, made); unseen != 0)
      return std::unexpected(failure_of(unseen, fmt::format("{}/{}", what.folder, flipback::quoted(name))));
  }
  if (error) return std::unexpected(failure_of(errno_of(error), what.folder));
  return made;
}

}  // namespace flipback::files
