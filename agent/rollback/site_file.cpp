#include "agent/rollback/site_file.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

namespace flipback::rollback {

namespace {

namespace fs = std::filesystem;

std::unexpected<std::string> failed(std::string_view doing, const std::string& path) {
  return std::unexpected(fmt::format("can't {} {}: {}", doing, path, std::strerror(errno)));
}

std::string beside(const std::string& path) {
  const fs::path p(path);
  return (p.parent_path() / fmt::format(".{}.flipback", p.filename().string())).string();
}

std::expected<void, std::string> sync_folder(const std::string& of) {
  const std::string folder = fs::path(of).parent_path().string();
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return failed("open", folder);
  const int synced = ::fsync(fd);
  ::close(fd);
  if (synced != 0) return failed("sync", folder);
  return {};
}

std::expected<void, std::string> rename_over(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    auto error = failed("replace", to);
    ::unlink(from.c_str());
    return error;
  }
  return sync_folder(to);
}

std::expected<void, std::string> write_file(const std::string& path, const std::string& bytes, const site_file& like) {
  const std::string temporary = beside(path);
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return failed("write", temporary);
  const auto give_up = [&](std::string_view doing) {
    auto error = failed(doing, temporary);
    ::close(fd);
    ::unlink(temporary.c_str());
    return error;
  };
  std::size_t written = 0;
  while (written < bytes.size()) {
    const ssize_t size = ::write(fd, bytes.data() + written, bytes.size() - written);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return give_up("write");
    written += static_cast<std::size_t>(size);
  }
  if (::fchown(fd, like.owner, like.group) != 0 && errno != EPERM) return give_up("give to its owner");
  if (::fchmod(fd, like.mode & 07777U) != 0) return give_up("set the mode of");
  if (::fsync(fd) != 0) return give_up("sync");
  ::close(fd);
  return rename_over(temporary, path);
}

std::expected<void, std::string> write_link(const std::string& path, const std::string& target) {
  const std::string temporary = beside(path);
  ::unlink(temporary.c_str());
  if (::symlink(target.c_str(), temporary.c_str()) != 0) return failed("link", temporary);
  return rename_over(temporary, path);
}

}  // namespace

std::expected<site_file, std::string> read_site(const std::string& path) {
  site_file read;
  read.path = path;
  struct stat found{};
  if (::lstat(path.c_str(), &found) != 0) {
    if (errno == ENOENT) return read;
    return failed("read", path);
  }
  read.resolved = path;
  if (S_ISLNK(found.st_mode)) {
    std::error_code error;
    read.link = fs::read_symlink(path, error).string();
    const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
    if (!real) return read;
    read.resolved = real.get();
    if (::stat(path.c_str(), &found) != 0) return failed("read", path);
  }
  std::ifstream in(read.resolved, std::ios::binary);
  std::array<char, 16 * 1024> part{};
  while (in.read(part.data(), part.size()), in.gcount() > 0) read.bytes.append(part.data(), static_cast<std::size_t>(in.gcount()));
  if (!in.is_open() || in.bad()) return failed("read", path);
  read.exists = true;
  read.mode = found.st_mode;
  read.owner = found.st_uid;
  read.group = found.st_gid;
  return read;
}

std::expected<void, std::string> install(const site_file& live, const site_file& slot, bool links_to_a_slot) {
  if (live.link.empty()) return write_file(live.path, slot.bytes, live.exists ? live : slot);
  if (links_to_a_slot || live.resolved.empty()) return write_link(live.path, slot.path);
  return write_file(live.resolved, slot.bytes, live);
}

std::expected<void, std::string> restore(const site_file& before) {
  if (!before.link.empty()) {
    const auto now = read_site(before.path);
    if (!now || now->link != before.link) {
      if (auto linked = write_link(before.path, before.link); !linked) return linked;
    }
    const auto behind = read_site(before.path);
    if (behind && behind->bytes == before.bytes) return {};
    return write_file(before.resolved, before.bytes, before);
  }
  return write_file(before.path, before.bytes, before);
}

void sweep(const std::string& live_path) {
  ::unlink(beside(live_path).c_str());
  std::error_code error;
  const fs::path real = fs::canonical(live_path, error);
  if (!error) ::unlink(beside(real.string()).c_str());
}

}  // namespace flipback::rollback
