#include "agent/init/settle.hpp"

#include "flipback/descriptor.hpp"

#include "agent/config/validate.hpp"

#include <fmt/format.h>

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>

namespace flipback::init {

namespace {

/// What is wrong with a text, without the place of it, which the reader of the file would not find; empty: nothing.
std::string wrong_with(const std::string& text) {
  const descriptor file(::memfd_create("flipback.toml", MFD_CLOEXEC));
  if (file.get() < 0 || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    throw std::system_error(errno, std::system_category(), "can't hold the configuration in memory");
  settings::diagnostics problems;
  config::validate(fmt::format("/proc/self/fd/{}", file.get()), {config::process_environment()}, problems);
  return problems.clean() ? std::string() : problems.sorted().front().says;
}

}  // namespace

void settle(draft& of) {
  draft settled;
  for (passage& p : of.passages) {
    settled.passages.push_back(p);
    if (!p.why_off.empty()) continue;
    p.why_off = wrong_with(text_of(settled));
    if (!p.why_off.empty()) of.untold.push_back(p.why_off);
    settled.passages.back() = p;
  }
}

}  // namespace flipback::init
