#include "agent/cli/init.hpp"

#include "flipback/as_typed.hpp"
#include "flipback/descriptor.hpp"
#include "flipback/one_line.hpp"

#include "agent/init/look.hpp"
#include "agent/init/settle.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

namespace flipback::cli {

namespace {

constexpr int can_not_write = 2;

int complain(const std::string& why) {
  fmt::print(stderr, "flipback: {}\n", one_line(why));
  return can_not_write;
}

std::string typed(const std::string& output) {
  return as_typed(std::array<std::string, 4>{"flipback", "init", "--output", output});
}

std::string why_not_opened(const std::string& output, int error) {
  if (error == EEXIST)
    return fmt::format("{} is there already, and nothing is overwritten: type `{}` to write beside it", output, typed(output + ".new"));
  return fmt::format("can't write {}: {}", output, std::strerror(error));
}

/// Why no new file could be made there, as far as is seen without making one; 0: nothing is in the way.
int obstacle_to_make(const std::string& output) {
  struct stat there{};
  if (::lstat(output.c_str(), &there) == 0) return EEXIST;
  std::string folder = std::filesystem::path(output).parent_path().string();
  if (folder.empty()) folder = ".";
  return ::access(folder.c_str(), W_OK | X_OK) == 0 ? 0 : errno;
}

/// Whole, or with an error.
bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t size = ::write(file, text.data(), text.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

}  // namespace

int init(const std::string& output) {
  constexpr int as_the_umask_has_it = 0666;  // nothing in it is secret
  // First, so that nobody looks for nothing. It is made last: a look that is broken off leaves nothing behind.
  if (const int error = output.empty() ? 0 : obstacle_to_make(output); error != 0) return complain(why_not_opened(output, error));
  init::draft made = init::drafted(init::look(init::usual_places()));
  init::settle(made);
  const descriptor file(output.empty() ? -1 : ::open(output.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, as_the_umask_has_it));
  if (!output.empty() && !file.is_open()) return complain(why_not_opened(output, errno));
  const int into = file.is_open() ? file.get() : STDOUT_FILENO;
  if (!write_all(into, init::text_of(made))) {
    const int error = errno;
    if (!output.empty()) ::unlink(output.c_str());
    return complain(fmt::format("can't write {}: {}", output.empty() ? "to standard output" : output, std::strerror(error)));
  }
  for (const std::string& what : made.untold) fmt::print(stderr, "not told: {}\n", one_line(what));
  if (!output.empty()) {
    fmt::print(stderr, "{} is written; type `{}`, then `{}`\n", output,
               as_typed(std::array<std::string, 3>{"flipback", "validate", output}),
               as_typed(std::array<std::string, 4>{"flipback", "--check", "--config", output}));
  }
  return 0;
}

}  // namespace flipback::cli
