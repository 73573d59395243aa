#pragma once

#include "agent/rollback/change.hpp"
#include "tests/folder.hpp"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <exception>
#include <fstream>
#include <functional>
#include <string>

/// Files as a rollback sees them, and tests in a process of their own.
namespace flipback::test {

inline struct stat looked_at(const std::string& path) {
  struct stat found{};
  ::lstat(path.c_str(), &found);
  return found;
}

/// What a function says that runs in a process of its own, so that it may give up rights, mounts and limits.
inline std::string in_child(const std::function<std::string()>& says) {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) return "no pipe";
  const pid_t child = ::fork();
  if (child == 0) {
    std::string said;
    try {
      said = says();
    } catch (const std::exception& e) {
      said = e.what();
    }
    const bool whole = ::write(ends[1], said.data(), said.size()) == static_cast<ssize_t>(said.size());
    ::_exit(whole ? 0 : 1);
  }
  ::close(ends[1]);
  std::string said;
  std::array<char, 4096> part{};
  for (ssize_t size = 0; (size = ::read(ends[0], part.data(), part.size())) > 0;) said.append(part.data(), static_cast<std::size_t>(size));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  return status == 0 ? said : "the child ended badly";
}

/// The same without root's rights.
inline std::string as_nobody(const std::function<std::string()>& says) {
  return in_child([&]() -> std::string {
    if (::geteuid() == 0 &&
        (::setgroups(0, nullptr) != 0 || ::setresgid(65534, 65534, 65534) != 0 || ::setresuid(65534, 65534, 65534) != 0))
      return "can't become nobody";
    return says();
  });
}

/// The same with mounts that nobody else sees; as root there, whoever runs the test.
inline std::string with_own_mounts(const std::function<std::string()>& says) {
  return in_child([&]() -> std::string {
    const uid_t us = ::geteuid();
    if (::unshare(us == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER) != 0) return "can't have mounts of its own";
    if (us != 0) {
      std::ofstream("/proc/self/setgroups") << "deny";
      std::ofstream("/proc/self/uid_map") << "0 " << us << " 1";
      std::ofstream("/proc/self/gid_map") << "0 " << ::getegid() << " 1";
    }
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return "can't make the mounts private";
    return says();
  });
}

inline rollback::file_image regular(const std::string& bytes) {
  rollback::file_image image;
  image.is = rollback::file_image::kind::regular;
  image.bytes = bytes;
  image.owner = ::geteuid();
  image.group = ::getegid();
  return image;
}

inline rollback::file_image leading_to(const std::string& target) {
  rollback::file_image image;
  image.is = rollback::file_image::kind::link;
  image.target = target;
  image.owner = ::geteuid();
  image.group = ::getegid();
  return image;
}

/// Why it was refused; "" where it was not.
inline std::string error_of(const auto& expected) {
  return expected ? "" : expected.error();
}

inline bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace flipback::test
