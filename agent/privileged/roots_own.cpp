#include "agent/privileged/roots_own.hpp"

#include <fmt/format.h>

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace flipback::privileged {

namespace {

namespace fs = std::filesystem;

constexpr int most_links = 40;  // as the kernel has it

std::string not_roots_own(const fs::path& path, int links) {
  if (!path.is_absolute()) return fmt::format("{} is no whole path: write it from / on", path.string());
  fs::path at;
  for (auto part = path.begin(); part != path.end(); ++part) {
    // No link is passed over without being followed, so that ".." is the folder above.
    at = *part == ".." ? at.parent_path() : *part == "." || part->empty() ? at : at / *part;
    struct stat is{};
    if (::lstat(at.c_str(), &is) != 0) return errno == ENOENT ? "" : fmt::format("can't look at {}: {}", at.string(), std::strerror(errno));
    if (is.st_uid != 0)
      return fmt::format("{} belongs to user {}, who could put something else there; type `chown -h root {}`", at.string(), is.st_uid,
                         at.string());
    if (S_ISLNK(is.st_mode)) {
      if (links == most_links) return fmt::format("{} leads through more than {} links", path.string(), most_links);
      std::error_code unread;
      fs::path leads_to = at.parent_path() / fs::read_symlink(at, unread);
      if (unread) return fmt::format("can't read the link {}: {}", at.string(), unread.message());
      while (++part != path.end()) leads_to /= *part;
      return not_roots_own(leads_to, links + 1);
    }
    if ((is.st_mode & (S_IWGRP | S_IWOTH)) != 0)
      return fmt::format("{} may be written by others than root (its mode is {:04o}); type `chmod go-w {}`", at.string(),
                         is.st_mode & 07777U, at.string());
  }
  return "";
}

}  // namespace

std::string not_roots_own(const std::string& path) {
  return not_roots_own(fs::path(path), 0);
}

}  // namespace flipback::privileged
