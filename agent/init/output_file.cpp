#include "agent/init/output_file.hpp"

#include "flipback/as_typed.hpp"
#include "flipback/descriptor.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace flipback::init {

namespace {

std::string typed(const std::string& output) {
  return as_typed(std::array<std::string, 4>{"flipback", "init", "--output", output});
}

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

/// The same name where whoever is refused may probably write.
std::string elsewhere(const std::string& path) {
  return typed((std::filesystem::path("/tmp") / std::filesystem::path(path).filename()).string());
}

std::string why_not_over(const std::string& path, mode_t mode) {
  if (S_ISDIR(mode)) {
    const std::string inside = (std::filesystem::path(path) / "flipback.toml").string();
    return fmt::format("{} is a folder, expected the name of a new file: type `{}`", path, typed(inside));
  }
  if (S_ISREG(mode))
    return fmt::format("{} is there already, and nothing is overwritten: type `{}` to write beside it", path, typed(path + ".new"));
  const char* const is = S_ISLNK(mode) ? "a link" : S_ISFIFO(mode) ? "a FIFO" : S_ISSOCK(mode) ? "a socket" : "a device";
  return fmt::format("{} is {}, expected the name of a new file: type `flipback init`, which writes to standard output, or `{}`", path, is,
                     typed("flipback.toml"));
}

/// Of a folder in which no file can be made, or where there is none.
std::string why_not_in(const std::string& path, int error) {
  const std::string folder = folder_of(path);
  switch (error) {
    case ENOENT:
      return fmt::format("can't write {}: there is no folder {}: type `{}`, and this again", path, folder,
                         as_typed(std::array<std::string, 3>{"mkdir", "-p", folder}));
    case ENOTDIR:
      return fmt::format("can't write {}: {} is no folder: name a file in one, as in `{}`", path, folder, typed("flipback.toml"));
    case EACCES:
    case EPERM:
      return fmt::format("can't write {}: no right to make a file in {}: type `sudo` before the command, or `{}`", path, folder,
                         elsewhere(path));
    case EROFS:
      return fmt::format("can't write {}: {} is on a file system that is read-only: type `{}`", path, folder, elsewhere(path));
    case ENOSPC:
    case EDQUOT:
      return fmt::format("can't write {}: no space is left for it in {} ({}), and nothing of it stays: type `df {}`, make room, or `{}`",
                         path, folder, std::strerror(error), as_typed(std::array<std::string, 1>{folder}), elsewhere(path));
    default:
      return fmt::format("can't write {}: {}, and nothing of it stays: type `{}`", path, std::strerror(error), elsewhere(path));
  }
}

std::string why_not_made(const std::string& path, int error) {
  struct stat there{};
  if (error == EEXIST && ::lstat(path.c_str(), &there) == 0) return why_not_over(path, there.st_mode);
  return why_not_in(path, error);
}

/// 0, or the error's number.
int write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t size = ::write(file, text.data(), text.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return size == 0 ? EIO : errno;
    text.remove_prefix(static_cast<std::size_t>(size));
  }
  return 0;
}

}  // namespace

std::string obstacle_to_write(const std::string& path) {
  struct stat there{};
  if (::lstat(path.c_str(), &there) == 0) return why_not_over(path, there.st_mode);
  if (errno != ENOENT) return why_not_in(path, errno);
  const std::string folder = folder_of(path);
  if (::stat(folder.c_str(), &there) != 0) return why_not_in(path, errno);
  return ::access(folder.c_str(), W_OK | X_OK) == 0 ? "" : why_not_in(path, errno);
}

std::string write_new_file(const std::string& path, std::string_view text) {
  constexpr int as_the_umask_has_it = 0666;  // nothing in it is secret
  descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, as_the_umask_has_it));
  if (!file.is_open()) return why_not_made(path, errno);
  int error = write_all(file.get(), text);
  if (::close(file.release()) != 0 && error == 0 && errno != EINTR) error = errno;  // a full disk of another host is said here
  if (error == 0) return {};
  ::unlink(path.c_str());
  return why_not_in(path, error);
}

std::string write_to_standard_output(std::string_view text) {
  const int error = write_all(STDOUT_FILENO, text);
  if (error == 0) return {};
  return fmt::format("can't write to standard output: {}: type `{}` to write a file", std::strerror(error), typed("flipback.toml"));
}

}  // namespace flipback::init
