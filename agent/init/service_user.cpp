#include "agent/init/service_user.hpp"

#include "flipback/as_typed.hpp"
#include "flipback/descriptor.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>

namespace flipback::init {

namespace fs = std::filesystem;

namespace {

struct account {
  uid_t user = 65534;  ///< nobody's
  gid_t group = 65534;
  std::vector<gid_t> groups;
  bool is_there = false;
};

/// With its groups and, as the unit adds it, adm.
account account_of(const std::string& user) {
  account made;
  if (const passwd* const found = ::getpwnam(user.c_str())) {
    constexpr int most_groups = 256;
    made = {.user = found->pw_uid, .group = found->pw_gid, .groups = std::vector<gid_t>(most_groups), .is_there = true};
    int size = most_groups;
    if (::getgrouplist(user.c_str(), made.group, made.groups.data(), &size) < 0) size = most_groups;
    made.groups.resize(static_cast<std::size_t>(size));
  }
  if (const group* const adm = ::getgrnam("adm")) made.groups.push_back(adm->gr_gid);
  return made;
}

/// A folder to pass through, or the file to read at the end of the way.
struct step {
  std::string path;
  descriptor place;
  bool is_file;
};

std::vector<step> way_to(const fs::path& file) {
  std::vector<step> way;
  fs::path at;
  for (const fs::path& part : file) {
    at /= part;
    way.push_back({at.string(), descriptor(::open(at.c_str(), O_PATH | O_CLOEXEC)), at == file});
  }
  return way;
}

enum class access : char { allowed, refused, cant_tell };

access access_to(const step& s) {
  if (::faccessat(s.place.get(), "", s.is_file ? R_OK : X_OK, AT_EMPTY_PATH | AT_EACCESS) == 0) return access::allowed;
  return errno == EACCES ? access::refused : access::cant_tell;
}

/// What the kernel says to a process of this account, for each step; a process of its own asks, so that this one keeps its rights.
std::vector<access> asked_as(const account& who, const std::vector<step>& way) {
  std::vector<access> answers(way.size(), access::cant_tell);
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return answers;
  const descriptor from(ends[0]);
  descriptor to(ends[1]);
  const pid_t child = ::fork();
  if (child == 0) {
    const bool became = ::setgroups(who.groups.size(), who.groups.data()) == 0 && ::setresgid(who.group, who.group, who.group) == 0 &&
                        ::setresuid(who.user, who.user, who.user) == 0;
    for (const step& s : way) {
      const access answer = became ? access_to(s) : access::cant_tell;
      if (::write(to.get(), &answer, 1) != 1) ::_exit(1);
    }
    ::_exit(0);
  }
  to = descriptor();
  for (access& answer : answers) {
    access got = access::cant_tell;
    while (::read(from.get(), &got, 1) < 0 && errno == EINTR) continue;
    answer = got;
  }
  while (child > 0 && ::waitpid(child, nullptr, 0) < 0 && errno == EINTR) continue;
  return answers;
}

/// The folder of these that the unit hides from its service, and that the file is in; empty: none.
std::string_view hidden_folder_of(std::string_view file) {
  constexpr std::array<std::string_view, 5> hidden{"/home/", "/root/", "/run/user/", "/tmp/", "/var/tmp/"};
  const auto* const at = std::ranges::find_if(hidden, [&](std::string_view folder) { return file.starts_with(folder); });
  return at == hidden.end() ? std::string_view() : at->substr(0, at->size() - 1);
}

std::string owner_and_mode(const step& s) {
  struct stat found{};
  if (::fstat(s.place.get(), &found) != 0) return s.path;
  return fmt::format("{} has mode {:04o} and belongs to user {}, group {}", s.path, found.st_mode & 07777U, found.st_uid, found.st_gid);
}

std::string typed_to_let(const std::string& user, const step& s) {
  const std::string entry = fmt::format("u:{}:{}", user, s.is_file ? "r" : "x");
  return as_typed(std::array<std::string, 4>{"setfacl", "-m", entry, s.path});
}

std::optional<std::string> why_kept(const std::string& file, const std::string& user, const account& who) {
  std::error_code unseen;
  const fs::path whole = fs::canonical(file, unseen);
  if (unseen) return std::nullopt;
  if (const std::string_view hidden = hidden_folder_of(whole.string()); !hidden.empty())
    return fmt::format(
        "how the service is to read {}: it sees nothing of {} (ProtectHome= and PrivateTmp= of flipback.service): put the file elsewhere, "
        "such as into /etc/flipback, and name that one",
        file, hidden);
  const std::vector<step> way = way_to(whole);
  const std::vector<access> answers = asked_as(who, way);
  if (std::ranges::find(answers, access::cant_tell) != answers.end())
    return fmt::format("whether the service, whose user is {}, may read {}: that can't be tried here", user, file);
  std::vector<std::string> found;
  std::vector<std::string> typed;
  for (std::size_t i = 0; i < way.size(); ++i) {
    if (answers[i] == access::allowed) continue;
    found.push_back(owner_and_mode(way[i]));
    typed.push_back(typed_to_let(user, way[i]));
  }
  if (found.empty()) return std::nullopt;
  return fmt::format("how the service is to read {}: its user {} may not ({}): {}type `{}` as root", file, user, fmt::join(found, "; "),
                     who.is_there ? "" : "once the package has made that user, ", fmt::join(typed, " && "));
}

}  // namespace

std::vector<std::string> kept_from_service(std::span<const std::string> files, const std::string& user) {
  std::vector<std::string> found;
  if (::geteuid() != 0) return found;
  const account who = account_of(user);
  for (const std::string& file : files) {
    if (auto why = why_kept(file, user, who)) found.push_back(*std::move(why));
  }
  return found;
}

}  // namespace flipback::init
