#include "probes/files/space.hpp"

#include "probes/files/failure.hpp"

#include <fmt/format.h>

#include <cerrno>

namespace flipback::files {

namespace {

/// available / (used + available); nothing where both are 0.
std::optional<double> share(fsblkcnt_t all, fsblkcnt_t free, fsblkcnt_t available) {
  const double used = all > free ? static_cast<double>(all - free) : 0;
  const auto left = static_cast<double>(available);
  if (used + left == 0) return std::nullopt;
  return left / (used + left);
}

}  // namespace

std::optional<space> space_of(const struct statvfs& told) {
  const auto ratio = share(told.f_blocks, told.f_bfree, told.f_bavail);
  if (!ratio) return std::nullopt;
  const auto block = static_cast<double>(told.f_frsize != 0 ? told.f_frsize : told.f_bsize);
  space made{*ratio, static_cast<double>(told.f_bavail) * block, {}};
  if (told.f_files != 0) made.inodes_free_ratio = share(told.f_files, told.f_ffree, told.f_favail);
  return made;
}

net::result<space> look_at_space(const std::string& path) {
  struct statvfs told{};
  if (::statvfs(path.c_str(), &told) != 0) return std::unexpected(failure_of(errno, path));
  if (const auto made = space_of(told)) return *made;
  return std::unexpected(net::failure{reason::no_prerequisite, fmt::format("{} is on a file system without a size", path)});
}

}  // namespace flipback::files
