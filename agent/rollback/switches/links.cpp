#include "agent/rollback/switches/links.hpp"

#include "agent/rollback/beside.hpp"

#include <sys/stat.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <memory>

namespace flipback::rollback {

namespace fs = std::filesystem;

std::optional<std::string> leads_to(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
  return real ? std::optional<std::string>(real.get()) : std::nullopt;
}

std::string seen_from(const std::string& link, const std::string& target) {
  return fs::path(target).is_absolute() ? target : (fs::path(folder_of(link)) / target).string();
}

std::optional<std::string> retarget(const std::string& link, const std::string& old_target, const std::string& file) {
  std::error_code error;
  const fs::path absolute = fs::absolute(file, error);
  if (error) return std::nullopt;
  if (fs::path(old_target).is_absolute()) return absolute.string();
  const auto wanted = leads_to(file);
  const fs::path from = fs::canonical(folder_of(link), error);
  if (!wanted || error) return std::nullopt;
  // As it is written now, with another last name; else the way from the folder, whose own name may be a link.
  const std::array<fs::path, 3> ways{fs::path(old_target).parent_path() / absolute.filename(), absolute.lexically_relative(from),
                                     fs::path(*wanted).lexically_relative(from)};
  for (const fs::path& way : ways) {
    if (!way.empty() && leads_to(seen_from(link, way.string())) == wanted) return way.string();
  }
  return std::nullopt;
}

std::optional<wall_time> changed_at(const std::string& path) {
  struct stat found{};
  if (::lstat(path.c_str(), &found) != 0) return std::nullopt;
  // Not the time of the bytes: `cp -p` and `mv` bring an old one with them.
  const auto since = std::chrono::seconds(found.st_ctim.tv_sec) + std::chrono::nanoseconds(found.st_ctim.tv_nsec);
  return wall_time(std::chrono::duration_cast<wall_time::duration>(since));
}

}  // namespace flipback::rollback
